#include "core/device_faults.hpp"

#include <gtest/gtest.h>

#include <string>

#include "longer/error.hpp"
#include "support/thrown_error.hpp"

namespace longer {
namespace {

// Device numbers of this file alone: what is lost stays lost in the process.
constexpr int kHealthy = 9000;
constexpr int kFaulted = 9001;
constexpr int kBusy = 9002;

CudaFailure failure(int code, int device) {
  CudaFailure f;
  f.code = code;
  f.name = "cudaErrorX";
  f.description = "in CUDA's words";
  f.what = "doing it";
  f.device = device;
  return f;
}

Error thrown(const CudaFailure& f) {
  try {
    fail_cuda(f);
  } catch (const Error& error) {
    return error;
  }
}

TEST(DeviceFaults, StickyErrorsAreFatalAndOthersAreNot) {
  for (const int code :
       {214, 220, 226, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 721, 810, 911})
    EXPECT_TRUE(is_fatal_cuda_error(code)) << code;
  // Success, invalid value, out of memory, old driver, no device, out of launch resources.
  for (const int code : {0, 1, 2, 35, 100, 701}) EXPECT_FALSE(is_fatal_cuda_error(code)) << code;
}

TEST(DeviceFaults, AFatalErrorLosesItsDeviceAndNoOther) {
  check_device_not_lost(kFaulted);
  const Error error = thrown(failure(700, kFaulted));
  EXPECT_EQ(error.status(), Status::kDeviceError);
  EXPECT_TRUE(error.details().is_fatal);
  EXPECT_EQ(std::string(error.what()),
            "[cuda] doing it: in CUDA's words (cudaErrorX); the device is lost for this process");
  EXPECT_TRUE(is_device_lost(kFaulted));
  EXPECT_FALSE(is_device_lost(kHealthy));
  check_device_not_lost(kHealthy);
  thrown(failure(719, kFaulted));
  try {
    check_device_not_lost(kFaulted);
    FAIL() << "no error";
  } catch (const Error& later) {
    EXPECT_EQ(later.status(), Status::kDeviceError);
    EXPECT_TRUE(later.details().is_fatal);
    EXPECT_NE(std::string(later.what()).find("CUDA device 9001 is lost"), std::string::npos);
    EXPECT_NE(std::string(later.what()).find("restarted"), std::string::npos);
    EXPECT_NE(std::string(later.what()).find("doing it: in CUDA's words"), std::string::npos);
  }
}

TEST(DeviceFaults, OtherErrorsLeaveTheDeviceUsable) {
  const Error error = thrown(failure(1, kBusy));
  EXPECT_EQ(error.status(), Status::kDeviceError);
  EXPECT_FALSE(error.details().is_fatal);
  CudaFailure full = failure(2, kBusy);
  full.bytes_free = 77;
  const Error out_of_memory = thrown(full);
  EXPECT_EQ(out_of_memory.status(), Status::kOutOfMemory);
  EXPECT_EQ(out_of_memory.details().bytes_asked, -1);
  EXPECT_EQ(out_of_memory.details().bytes_free, 77);
  EXPECT_FALSE(is_device_lost(kBusy));
}

}  // namespace
}  // namespace longer
