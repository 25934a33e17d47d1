// What the fuzzers try, and what must hold for any bytes. Each function is a libFuzzer program of
// its own (fuzz.cpp), and is run by the unit tests on all seeds and on every input that has ever
// broken it (seeds/). A broken promise throws std::logic_error; a crash is a crash.
#pragma once

#include <string_view>

namespace mydocker::fuzz {

// A host file is refused with problems that have a place and a text, or its canonical JSON is read
// back as the very same containers.
void host_file(std::string_view bytes);
// The same for a container that a client sends.
void container_json(std::string_view bytes);
// A request is the same in one piece and in two; what is refused has a status and a text. The first
// byte says where it is cut.
void request(std::string_view bytes);
// A stored container is refused with a text, or written again as it was.
void state(std::string_view bytes);
// The same for a record of the ledger, and for a snapshot of the boot "b".
void attempt(std::string_view bytes);
void snapshot(std::string_view bytes);

// Messages to the keeper, each with a number of descriptors: none is lost, none is closed twice or
// while it is held, and there are never more keys than may be. A message is a byte for how many
// descriptors come with it, then keeper/wire.hpp's words; the last may be cut short.
void keeper_message(std::string_view bytes);

}  // namespace mydocker::fuzz
