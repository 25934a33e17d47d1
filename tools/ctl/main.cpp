// mydocker-ctl's main(); everything else is in a library that the tests link.
#include <string>
#include <vector>

#include "tools/ctl/program.hpp"

int main(int argc, char** argv) {
    return mydocker::ctl::run_program(std::vector<std::string>(argv + (argc > 0), argv + argc));
}
