// What a Prometheus server reads of mydockerd: text format 0.0.4.
#pragma once

#include <map>
#include <string>

#include "supervisor/container.hpp"

namespace mydocker::supervisor::api {

class Metrics {
public:
    void add(const Container& container);
    std::string text() const;  // of those that were added, and of the loop

private:
    std::map<std::string_view, int> states_;
    std::string up_;
    std::string restarts_;
};

}  // namespace mydocker::supervisor::api
