# cmake -C tools/presets/release.cmake -S . -B build -G Ninja
set(CMAKE_BUILD_TYPE Release CACHE STRING "")
set(MYDOCKER_WERROR ON CACHE BOOL "")
set(MYDOCKER_UNITY ON CACHE BOOL "")
