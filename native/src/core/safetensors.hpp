#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.hpp"

namespace longer {

/// Element types of the safetensors format that this library knows; all little-endian.
enum class Dtype { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU64, kU32, kU16, kU8, kBool };

/// "F32", "I64" … as the format spells them.
const char* dtype_name(Dtype dtype);
int64_t dtype_bytes(Dtype dtype);

/// The dtype of a C++ element type.
template <class T>
struct DtypeOf;
template <>
struct DtypeOf<float> {
  static constexpr Dtype value = Dtype::kF32;
};
template <>
struct DtypeOf<double> {
  static constexpr Dtype value = Dtype::kF64;
};
template <>
struct DtypeOf<int64_t> {
  static constexpr Dtype value = Dtype::kI64;
};
template <>
struct DtypeOf<int32_t> {
  static constexpr Dtype value = Dtype::kI32;
};

/// A tensor without its data. Row-major; a shape of no dimensions is a scalar.
struct TensorSpec {
  std::string name;
  Dtype dtype = Dtype::kF32;
  std::vector<int64_t> shape;
};

/// A safetensors file read in place: 8 bytes header length, JSON header, data. 64-bit offsets.
///
/// The constructor accepts only a whole file: header of at most 16 MiB, no duplicate name, known
/// dtypes, shapes whose bytes equal their offsets' difference, and tensors that fill the data
/// without gap or overlap, each at a multiple of its element size. Throws CorruptData naming the
/// file and what is wrong. Safe from any thread.
class SafetensorsReader {
 public:
  explicit SafetensorsReader(MappedFile file);

  struct Tensor {
    Dtype dtype = Dtype::kF32;
    std::vector<int64_t> shape;
    const std::byte* data = nullptr;
    int64_t bytes = 0;
  };
  const std::map<std::string, Tensor, std::less<>>& tensors() const { return tensors_; }
  const std::string& path() const { return file_.path(); }

  /// The tensor `name`; throws CorruptData unless it is there, of type T and (where ≥ 0) of
  /// `shape`.
  template <class T>
  const T* values(std::string_view name, const std::vector<int64_t>& shape) const {
    return reinterpret_cast<const T*>(require(name, DtypeOf<T>::value, shape).data);
  }
  /// As `values`, for callers that need the dimensions left open with −1.
  const Tensor& require(std::string_view name, Dtype dtype,
                        const std::vector<int64_t>& shape) const;

 private:
  void check_layout() const;

  MappedFile file_;
  const std::byte* data_ = nullptr;
  int64_t data_bytes_ = 0;
  std::map<std::string, Tensor, std::less<>> tensors_;
};

/// Writes a safetensors file front to back: the header when constructed, then each tensor's bytes
/// in the order of `specs`, in as many pieces as the caller likes. Throws InvalidArgument on
/// duplicate names, on a tensor that would not start at a multiple of its element size (declare
/// wider types first), and on bytes out of order; IoError from the file.
class SafetensorsWriter {
 public:
  SafetensorsWriter(OutputFile& file, std::vector<TensorSpec> specs);

  /// The next bytes of tensor `name`, which must be the first one not yet complete.
  void append(std::string_view name, const void* data, int64_t bytes);
  /// Checks that every tensor is complete; does not close the file.
  void finish();

 private:
  int64_t remaining() const;
  void skip_complete();

  OutputFile& file_;
  std::vector<TensorSpec> specs_;
  size_t current_ = 0;
  int64_t written_ = 0;  // bytes of the current tensor
};

}  // namespace longer
