# cmake -C tools/presets/asan.cmake -S . -B build-asan -G Ninja
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_CXX_FLAGS_DEBUG "-g1" CACHE STRING "")  # lines and functions are what a report tells
set(MYDOCKER_WERROR ON CACHE BOOL "")
set(MYDOCKER_SANITIZE ON CACHE BOOL "")
set(MYDOCKER_UNITY ON CACHE BOOL "")
