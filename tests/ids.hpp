// Ids of containers, of no meaning.
#pragma once

#include <string>

namespace mydocker::tests {

inline const std::string first_id(32, 'a');
inline const std::string second_id(32, 'b');

}  // namespace mydocker::tests
