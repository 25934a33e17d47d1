// What the keeper holds: for each key some descriptors, and a pid. It is arithmetic alone: who
// closes a descriptor is handed in, so that tests and the fuzzer can count. Each descriptor that is
// given to hold() is closed exactly once, sooner or later. No heap; memory is touched only as it is
// used: the entries stand together at the front, 44 bytes each.
#pragma once

#include <stdint.h>

#include "runtime/keeper/wire.hpp"

namespace mydocker::keeper {

// Descriptors are numbers below this (the keeper's RLIMIT_NOFILE): enough for every role of every
// key, and half the memory of an int.
inline constexpr int32_t max_fds = 1 << 15;
static_assert(max_keys * role_count + 16 < max_fds);

struct Entry {
    Key key;
    int32_t pid;              // of role_process; 0: none
    int16_t fds[role_count];  // -1: none

    constexpr uint32_t roles() const {
        uint32_t bits = 0;
        for (uint32_t role = 0; role < role_count; ++role)
            if (fds[role] >= 0) bits |= 1U << role;
        return bits;
    }
};

constexpr bool equal(const Key& one, const Key& other) {
    for (uint32_t i = 0; i < sizeof one.container; ++i)
        if (one.container[i] != other.container[i]) return false;
    return one.attempt == other.attempt && one.exec == other.exec;
}

template <uint32_t most = max_keys>
class Table {
public:
    constexpr uint32_t size() const { return size_; }
    constexpr const Entry& operator[](uint32_t index) const { return entries_[index]; }

    constexpr const Entry* find(const Key& key) const {
        for (uint32_t i = 0; i < size_; ++i)
            if (equal(entries_[i].key, key)) return &entries_[i];
        return nullptr;
    }

    constexpr bool holds_pid(int32_t pid) const {
        for (uint32_t i = 0; i < size_; ++i)
            if (entries_[i].pid == pid) return true;
        return false;
    }

    // Whether anything but mydockerd's own is here.
    constexpr bool holds_attempts() const {
        for (uint32_t i = 0; i < size_; ++i)
            if (!equal(entries_[i].key, Key{})) return true;
        return false;
    }

    // Takes the descriptors of a valid message; one of a role that is there already replaces it.
    // False where the table is full: they are closed.
    template <class Close>
    constexpr bool hold(const Message& message, const int32_t* fds, Close close) {
        Entry* entry = at(message.key);
        if (entry == nullptr && size_ == most) {
            for (uint32_t i = 0; i < count_roles(message.roles); ++i) close(fds[i]);
            return false;
        }
        if (entry == nullptr) {
            entry = &entries_[size_++];
            entry->key = message.key;
            entry->pid = 0;
            for (int16_t& fd : entry->fds) fd = -1;
        }
        for (uint32_t role = 0; role < role_count; ++role) {
            if ((message.roles >> role & 1) == 0) continue;
            if (entry->fds[role] >= 0) close(entry->fds[role]);
            entry->fds[role] = static_cast<int16_t>(*fds++);
            if (role == role_process) entry->pid = message.pid;
        }
        return true;
    }

    // Closes these; an entry without any is gone. Harmless where they are not there.
    template <class Close>
    constexpr void drop(const Key& key, uint32_t roles, Close close) {
        Entry* entry = at(key);
        if (entry == nullptr) return;
        for (uint32_t role = 0; role < role_count; ++role) {
            if ((roles >> role & 1) == 0 || entry->fds[role] < 0) continue;
            close(entry->fds[role]);
            entry->fds[role] = -1;
            if (role == role_process) entry->pid = 0;
        }
        if (entry->roles() == 0) *entry = entries_[--size_];
    }

    template <class Close>
    constexpr void forget(const Key& key, Close close) {
        drop(key, (1U << role_count) - 1, close);
    }

private:
    constexpr Entry* at(const Key& key) { return const_cast<Entry*>(find(key)); }

    uint32_t size_ = 0;
    Entry entries_[most] = {};
};

static_assert(sizeof(Entry) == 44);

}  // namespace mydocker::keeper
