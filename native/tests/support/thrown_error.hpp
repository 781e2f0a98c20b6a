#pragma once
#include <gtest/gtest.h>

#include <string>

#include "longer/error.hpp"

namespace longer::testing {

/// What `call` threw.
struct ThrownError {
  Status status = Status::kOk;  // kOk: it threw nothing
  std::string message;
};

template <class Call>
ThrownError thrown_by(const Call& call) {
  try {
    call();
  } catch (const Error& e) {
    return {e.status(), e.what()};
  }
  return {};
}

/// Expects `call` to throw `status` with a message that contains `part`.
template <class Call>
void expect_error(Status status, const std::string& part, const Call& call) {
  const ThrownError error = thrown_by(call);
  EXPECT_EQ(error.status, status) << error.message;
  EXPECT_NE(error.message.find(part), std::string::npos)
      << "\"" << part << "\" is not in: " << error.message;
}

}  // namespace longer::testing
