// DWARF expressions: of unwind information, by bytes, and of variables, by operations.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "symbols/location.hpp"
#include "unwind/dwarf_expression.hpp"

namespace {

using namespace moult::internal;

/// Values that depend on nothing but what is asked.
class Frame final : public FrameValues {
 public:
  bool read_register(std::uint64_t number, std::span<std::byte> to) const override {
    std::memset(to.data(), static_cast<int>(number & 0xFF), to.size());
    return number < 17;
  }
  bool read_memory(std::uint64_t address, std::span<std::byte> to) const override {
    std::memset(to.data(), static_cast<int>(address & 0xFF), to.size());
    return address % 3 != 0;
  }
  std::optional<std::uint64_t> cfa() const override { return 4096; }
  std::optional<std::uint64_t> frame_base() const override { return 4080; }
  std::optional<std::uint64_t> entry_value(const LocationExpression&) const override { return 7; }
};

void evaluate_bytes(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> expression;
  for (std::size_t left = size;; left >>= 7) {  // ULEB128
    expression.push_back(static_cast<std::uint8_t>((left & 0x7F) | (left > 0x7F ? 0x80 : 0)));
    if (left <= 0x7F) break;
  }
  expression.insert(expression.end(), data, data + size);
  expression.shrink_to_fit();
  Registers registers{};
  std::uint64_t result = 0;
  evaluate_expression(expression.data(), registers, true, 1, result);
}

void evaluate_operations(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t step = 6;  // bytes of input for an operation
  LocationExpression expression;
  for (std::size_t i = 0; i + step <= size; i += step) {
    LocationOperation operation;
    operation.code = data[i];
    std::int16_t first = 0;
    std::memcpy(&first, data + i + 1, sizeof first);
    operation.first = static_cast<std::uint64_t>(std::int64_t{first});
    operation.second = data[i + 3];
    operation.offset = i / step;
    operation.type = {static_cast<std::uint8_t>(1 + data[i + 4] % 8), (data[i + 4] & 0x80) != 0,
                      (data[i + 4] & 0x40) != 0};
    operation.bytes.assign(data[i + 5] % 9, std::byte{data[i + 5]});
    expression.push_back(std::move(operation));
  }
  const Frame frame;
  read_value(evaluate(expression, frame), 16, frame);
  evaluate_number(expression, frame);
  register_named_by(expression);
  same_expression(expression, expression);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  evaluate_bytes(data, size);
  evaluate_operations(data, size);
  return 0;
}
