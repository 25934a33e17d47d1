# cmake -C tools/presets/debug.cmake -S . -B build-debug -G Ninja
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(MYDOCKER_WERROR ON CACHE BOOL "")
