#pragma once
#include <cstddef>
#include <vector>

namespace longer {

/// A host array that the stages read, and where the place of its copy goes.
struct Placement {
  const void* host;
  size_t bytes;
  const void** placed;
};

/// A host array of trivial elements and where the stages read it: here, until Stream::place has put
/// a copy into a device's memory. Refilled after `clear` alone.
template <class T>
class PlacedArray : public std::vector<T> {
 public:
  const T* placed() const {
    return placed_ != nullptr ? static_cast<const T*>(placed_) : this->data();
  }
  Placement placement() { return {this->data(), this->size() * sizeof(T), &placed_}; }
  void clear() {
    std::vector<T>::clear();
    placed_ = nullptr;
  }

 private:
  const void* placed_ = nullptr;
};

}  // namespace longer
