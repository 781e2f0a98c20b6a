#pragma once
#include <algorithm>
#include <cstdlib>
#include <initializer_list>

#include "longer/error.hpp"

namespace fuzz {

/// Runs `read`; returns whether it accepted its input. Any error but the documented ones is a find.
template <class Read>
bool accepts(std::initializer_list<longer::Status> documented, const Read& read) {
  try {
    read();
    return true;
  } catch (const longer::Error& error) {
    if (std::find(documented.begin(), documented.end(), error.status()) == documented.end())
      std::abort();
    return false;
  }
}

}  // namespace fuzz
