#include "core/safetensors.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "longer/error.hpp"

namespace longer {
namespace {

using Json = nlohmann::json;

constexpr int64_t kLengthBytes = 8;
constexpr int64_t kMaxHeaderBytes = int64_t{16} << 20;

struct DtypeRow {
  Dtype dtype;
  const char* name;
  int64_t bytes;
};
constexpr std::array<DtypeRow, 13> kDtypes = {{{Dtype::kF64, "F64", 8},
                                               {Dtype::kF32, "F32", 4},
                                               {Dtype::kF16, "F16", 2},
                                               {Dtype::kBF16, "BF16", 2},
                                               {Dtype::kI64, "I64", 8},
                                               {Dtype::kI32, "I32", 4},
                                               {Dtype::kI16, "I16", 2},
                                               {Dtype::kI8, "I8", 1},
                                               {Dtype::kU64, "U64", 8},
                                               {Dtype::kU32, "U32", 4},
                                               {Dtype::kU16, "U16", 2},
                                               {Dtype::kU8, "U8", 1},
                                               {Dtype::kBool, "BOOL", 1}}};

const DtypeRow& row_of(Dtype dtype) {
  return *std::find_if(kDtypes.begin(), kDtypes.end(),
                       [dtype](const DtypeRow& r) { return r.dtype == dtype; });
}

template <class... Parts>
[[noreturn]] void corrupt(const std::string& path, Parts&&... parts) {
  fail(Status::kCorruptData, "[safetensors] ", path, ": ", std::forward<Parts>(parts)...);
}

/// Bytes of a tensor, or −1 when they overflow or a dimension is negative.
int64_t tensor_bytes(Dtype dtype, const std::vector<int64_t>& shape) {
  int64_t bytes = dtype_bytes(dtype);
  for (const int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(bytes, extent, &bytes)) return -1;
  }
  return bytes;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

/// Parses the header; a callback sees every key, so that a repeated one is found.
Json parse_header(const std::string& path, std::string_view text) {
  std::vector<std::set<std::string>> open_objects;
  bool has_duplicate = false;
  std::string duplicate;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) {
      if (depth > 4) corrupt(path, "the header nests too deeply");
      open_objects.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      open_objects.pop_back();
    } else if (event == Json::parse_event_t::array_start) {
      if (depth > 4) corrupt(path, "the header nests too deeply");
    } else if (event == Json::parse_event_t::key &&
               !open_objects.back().insert(value.get<std::string>()).second) {
      has_duplicate = true;
      duplicate = value.get<std::string>();
    }
    return true;
  };
  Json header;
  try {
    header = Json::parse(text, watch);
  } catch (const Json::exception& e) {
    corrupt(path, "the header is not valid JSON: ", e.what());
  }
  if (has_duplicate) corrupt(path, "the header names \"", duplicate, "\" twice");
  return header;
}

/// The non-negative integers of a JSON array.
std::vector<int64_t> read_integers(const std::string& path, const std::string& name,
                                   const char* key, const Json& entry) {
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_array())
    corrupt(path, "tensor \"", name, "\": ", key, " must be an array");
  std::vector<int64_t> values;
  for (const Json& value : *found) {
    if (!value.is_number_unsigned() ||
        value.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      corrupt(path, "tensor \"", name, "\": ", key, " must hold integers of 0 or more; got ",
              value.dump());
    }
    values.push_back(value.get<int64_t>());
  }
  return values;
}

}  // namespace

const char* dtype_name(Dtype dtype) { return row_of(dtype).name; }
int64_t dtype_bytes(Dtype dtype) { return row_of(dtype).bytes; }

SafetensorsReader::SafetensorsReader(MappedFile file) : file_(std::move(file)) {
  const std::string& path = file_.path();
  if (file_.bytes() < kLengthBytes)
    corrupt(path, "has ", file_.bytes(), " bytes, too few for a header length");
  uint64_t length = 0;
  std::memcpy(&length, file_.data(), kLengthBytes);
  if (length > static_cast<uint64_t>(kMaxHeaderBytes))
    corrupt(path, "header length ", length, " is over 16 MiB");
  const auto header_bytes = static_cast<int64_t>(length);
  if (header_bytes > file_.bytes() - kLengthBytes) {
    corrupt(path, "header length ", header_bytes, " exceeds the file's ", file_.bytes(), " bytes");
  }
  data_ = file_.data() + kLengthBytes + header_bytes;
  data_bytes_ = file_.bytes() - kLengthBytes - header_bytes;

  const std::string_view text = file_.text().substr(kLengthBytes, length);
  if (text.empty() || text.front() != '{') corrupt(path, "the header must start with {");
  const Json header = parse_header(path, text);
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    if (!entry.is_object()) corrupt(path, "tensor \"", name, "\" is not an object");
    const auto dtype = entry.find("dtype");
    if (dtype == entry.end() || !dtype->is_string())
      corrupt(path, "tensor \"", name, "\" has no dtype");
    const auto known = std::find_if(kDtypes.begin(), kDtypes.end(), [&](const DtypeRow& r) {
      return dtype->get<std::string>() == r.name;
    });
    if (known == kDtypes.end())
      corrupt(path, "tensor \"", name, "\": unknown dtype ", dtype->dump());
    Tensor tensor;
    tensor.dtype = known->dtype;
    tensor.shape = read_integers(path, name, "shape", entry);
    const std::vector<int64_t> offsets = read_integers(path, name, "data_offsets", entry);
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_bytes_) {
      corrupt(path, "tensor \"", name, "\": data_offsets ", shape_text(offsets),
              " must ascend within ", data_bytes_, " bytes");
    }
    tensor.bytes = offsets[1] - offsets[0];
    if (tensor_bytes(tensor.dtype, tensor.shape) != tensor.bytes) {
      corrupt(path, "tensor \"", name, "\": shape ", shape_text(tensor.shape), " does not fill ",
              tensor.bytes, " bytes");
    }
    tensor.data = data_ + offsets[0];
    tensors_.emplace(name, std::move(tensor));
  }
  check_layout();
}

void SafetensorsReader::check_layout() const {
  std::vector<const std::pair<const std::string, Tensor>*> order;
  for (const auto& entry : tensors_) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return a->second.data != b->second.data ? a->second.data < b->second.data
                                            : a->second.bytes < b->second.bytes;
  });
  const std::byte* end = data_;
  for (const auto* entry : order) {
    const Tensor& tensor = entry->second;
    if (tensor.data != end) {
      corrupt(path(), "tensor \"", entry->first, "\" starts at ", tensor.data - data_,
              ", the one before ends at ", end - data_);
    }
    if (reinterpret_cast<uintptr_t>(tensor.data) %
            static_cast<uintptr_t>(dtype_bytes(tensor.dtype)) !=
        0) {
      corrupt(path(), "tensor \"", entry->first, "\" is not aligned to its elements");
    }
    end = tensor.data + tensor.bytes;
  }
  if (end != data_ + data_bytes_) {
    corrupt(path(), "the tensors end at ", end - data_, ", the data at ", data_bytes_);
  }
}

const SafetensorsReader::Tensor& SafetensorsReader::require(
    std::string_view name, Dtype dtype, const std::vector<int64_t>& shape) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) corrupt(path(), "tensor \"", name, "\" is missing");
  const Tensor& tensor = found->second;
  if (tensor.dtype != dtype) {
    corrupt(path(), "tensor \"", name, "\" must be ", dtype_name(dtype), "; got ",
            dtype_name(tensor.dtype));
  }
  bool fits = tensor.shape.size() == shape.size();
  for (size_t i = 0; fits && i < shape.size(); ++i)
    fits = shape[i] < 0 || shape[i] == tensor.shape[i];
  if (!fits) {
    corrupt(path(), "tensor \"", name, "\" must have shape ", shape_text(shape), "; got ",
            shape_text(tensor.shape));
  }
  return tensor;
}

SafetensorsWriter::SafetensorsWriter(OutputFile& file, std::vector<TensorSpec> specs)
    : file_(file), specs_(std::move(specs)) {
  Json header = Json::object();
  int64_t offset = 0;
  for (const TensorSpec& spec : specs_) {
    check_argument(!header.contains(spec.name), "[safetensors] tensor \"", spec.name,
                   "\" is declared twice");
    const int64_t bytes = tensor_bytes(spec.dtype, spec.shape);
    check_argument(bytes >= 0, "[safetensors] tensor \"", spec.name, "\" has no valid shape");
    check_argument(offset % dtype_bytes(spec.dtype) == 0, "[safetensors] tensor \"", spec.name,
                   "\" would not be aligned; declare wider types first");
    header[spec.name] = {{"dtype", dtype_name(spec.dtype)},
                         {"shape", spec.shape},
                         {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  // Spaces round the header up, so that the data starts aligned for the widest type.
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  file_.write(&length, sizeof(length));
  file_.write(text);
  skip_complete();
}

int64_t SafetensorsWriter::remaining() const {
  return tensor_bytes(specs_[current_].dtype, specs_[current_].shape) - written_;
}

void SafetensorsWriter::skip_complete() {
  while (current_ < specs_.size() && remaining() == 0) {
    ++current_;
    written_ = 0;
  }
}

void SafetensorsWriter::append(std::string_view name, const void* data, int64_t bytes) {
  if (bytes == 0) return;
  check_argument(current_ < specs_.size() && specs_[current_].name == name,
                 "[safetensors] expected bytes of \"",
                 current_ < specs_.size() ? specs_[current_].name : "(nothing)", "\"; got \"", name,
                 "\"");
  check_argument(bytes > 0 && bytes <= remaining(), "[safetensors] tensor \"", name,
                 "\" has room for ", remaining(), " bytes; got ", bytes);
  file_.write(data, static_cast<size_t>(bytes));
  written_ += bytes;
  skip_complete();
}

void SafetensorsWriter::finish() {
  check_argument(current_ == specs_.size(), "[safetensors] tensor \"",
                 current_ < specs_.size() ? specs_[current_].name : "", "\" is not complete");
}

}  // namespace longer
