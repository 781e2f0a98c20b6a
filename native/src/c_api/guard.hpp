#pragma once
#include <cstring>
#include <new>
#include <string_view>

#include "core/live_count.hpp"
#include "longer/batch.hpp"
#include "longer/c/longer.h"
#include "longer/device.hpp"
#include "longer/error.hpp"
#include "model/prepared_batch.hpp"

namespace longer::c_api {

/// Writes text with its NUL, cut at a character's border to fit.
template <size_t size>
void cut_text(std::string_view from, char (&to)[size]) {
  size_t length = from.size() < size ? from.size() : size - 1;
  while (length > 0 && length < from.size() &&
         (static_cast<unsigned char>(from[length]) & 0xC0) == 0x80)
    --length;
  if (length > 0) std::memcpy(to, from.data(), length);
  to[length] = '\0';
}

/// Writes the outcome of a call.
inline longer_status report(longer_error* error, longer_status code, std::string_view message,
                            const ErrorDetails& details = {}) {
  if (error == nullptr) return code;
  error->code = code;
  error->fatal = details.is_fatal ? 1 : 0;
  error->bytes_asked = details.bytes_asked;
  error->bytes_free = details.bytes_free;
  cut_text(message, error->message);
  return code;
}

/// Runs `call` (returning a longer_status) and turns every exception into a status: nothing crosses
/// the border.
template <class Call>
longer_status guarded(longer_error* error, const Call& call) noexcept {
  try {
    return report(error, call(), "");
  } catch (const Error& e) {
    return report(error, static_cast<longer_status>(e.status()), e.what(), e.details());
  } catch (const std::bad_alloc&) {
    return report(error, LONGER_OUT_OF_MEMORY,
                  "[memory] the process has no memory left for this call");
  } catch (const std::exception& e) {
    return report(error, LONGER_INTERNAL, e.what());
  } catch (...) {
    return report(error, LONGER_INTERNAL, "[internal] unknown exception");
  }
}

/// As guarded, for functions that return a new handle, null on failure.
template <class Handle, class Create>
Handle* guarded_create(longer_error* error, const Create& create) noexcept {
  Handle* handle = nullptr;
  guarded(error, [&] {
    handle = create();
    live_handles().add(1);
    return LONGER_OK;
  });
  return handle;
}

template <class Handle>
void destroy(Handle* handle) noexcept {
  if (handle == nullptr) return;
  delete handle;
  live_handles().add(-1);
}

template <class T>
T& required(T* pointer, const char* name) {
  check_argument(pointer != nullptr, "[c_api] ", name, " must not be null");
  return *pointer;
}

inline std::string_view text(const char* data, int64_t bytes, const char* name) {
  check_argument(data != nullptr && bytes >= 0, "[c_api] ", name,
                 " must be text of at least 0 bytes");
  return {data, static_cast<size_t>(bytes)};
}

/// Checks a struct's size field against the size this library was built with.
template <class Struct>
const Struct& sized(const Struct* s, const char* name) {
  required(s, name);
  check_argument(s->struct_bytes == static_cast<int64_t>(sizeof(Struct)), "[c_api] ", name,
                 "->struct_bytes must be ", sizeof(Struct), "; got ", s->struct_bytes);
  return *s;
}

/// Writes text with its NUL when it fits; *needed = its bytes with the NUL.
inline void copy_text(std::string_view from, char* to, int64_t capacity, int64_t* needed) {
  required(needed, "needed") = static_cast<int64_t>(from.size()) + 1;
  if (capacity < *needed) return;
  std::memcpy(&required(to, "text"), from.data(), from.size());
  to[from.size()] = '\0';
}

inline Device device_of(const longer_device* device) {
  if (device == nullptr) return {};
  return {static_cast<DeviceKind>(device->kind), device->index, device->num_threads};
}

inline BatchView batch_of(const longer_batch* batch) {
  const longer_batch& b = sized(batch, "batch");
  const BatchView view = {
      b.num_requests,      b.num_events,  b.num_candidates, b.event_offsets,   b.candidate_offsets,
      b.event_columns,     b.event_times, b.first_ordinals, b.reference_times, b.user_columns,
      b.candidate_columns, b.labels,      b.weights};
  validate_counts(view);
  return view;
}

}  // namespace longer::c_api
