# cmake -C tools/presets/fuzz.cmake -S . -B build-fuzz -G Ninja
set(CMAKE_C_COMPILER clang CACHE STRING "")
set(CMAKE_CXX_COMPILER clang++ CACHE STRING "")
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "")
set(MYDOCKER_WERROR ON CACHE BOOL "")
set(MYDOCKER_SANITIZE ON CACHE BOOL "")
set(MYDOCKER_FUZZ ON CACHE BOOL "")
