#pragma once
#include <memory>

#include "ops/cuda_stream.hpp"
#include "ops/device_table/device_table.hpp"

namespace longer {

std::unique_ptr<DeviceTable> make_device_table_cuda(Memory& memory, const DeviceTableRules& rules);

}  // namespace longer
