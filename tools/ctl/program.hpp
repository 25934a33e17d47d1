// mydocker-ctl but for main(): runs one command line and answers with the exit code.
#pragma once

#include <string>
#include <vector>

namespace mydocker::ctl {

// Prints results to standard output and errors, one line each, to standard error. Never throws.
int run_program(const std::vector<std::string>& words);

}  // namespace mydocker::ctl
