#include "unwind/exception_table.hpp"

#include <cxxabi.h>

#include <typeinfo>

#include "unwind/encoded_reader.hpp"

namespace moult::internal {
namespace {

struct Table {
  std::uint64_t landing_base = 0;
  std::uint8_t type_encoding = encoded::omit;
  std::uint8_t call_encoding = encoded::omit;
  const std::uint8_t* types = nullptr;  ///< its entries lie before this address
  const std::uint8_t* calls = nullptr;
  const std::uint8_t* actions = nullptr;  ///< the end of the call records
};

Table read_head(const FrameHandling& frame) noexcept {
  Table table{.landing_base = value(frame.code.begin)};
  EncodedReader reader(frame.exception_table);
  const auto base_encoding = reader.read<std::uint8_t>();
  if (base_encoding != encoded::omit) table.landing_base = reader.read_encoded(base_encoding, 0);
  table.type_encoding = reader.read<std::uint8_t>();
  if (table.type_encoding != encoded::omit) {
    const std::uint64_t offset = reader.read_uleb();
    table.types = reader.at() + offset;
  }
  table.call_encoding = reader.read<std::uint8_t>();
  const std::uint64_t size = reader.read_uleb();
  table.calls = reader.at();
  table.actions = reader.at() + size;
  return table;
}

std::size_t size_of(std::uint8_t encoding) noexcept {
  switch (encoding & 0x07) {
    case encoded::udata2: return 2;
    case encoded::udata4: return 4;
    default: return 8;
  }
}

/// The type that a handler takes; 0: every type.
std::uint64_t type_number(const Table& table, std::int64_t number) noexcept {
  const std::ptrdiff_t distance = static_cast<std::ptrdiff_t>(size_of(table.type_encoding)) * number;
  return EncodedReader(table.types - distance).read_encoded(table.type_encoding, 0);
}

bool takes_forced_unwinding(std::uint64_t type) noexcept {
  return type == 0 || *reinterpret_cast<const std::type_info*>(type) == typeid(abi::__forced_unwind);
}

bool allows_nothing(const Table& table, std::int64_t filter) noexcept {
  return *(table.types - filter - 1) == 0;  // a list of type numbers that ends with a 0
}

/// The first action of a chain that applies to a forced unwinding, as the C++ routine chooses it.
CallSite first_action(const Table& table, std::uint64_t action) noexcept {
  bool cleans_up = false;
  const std::uint8_t* record = table.actions + action - 1;
  for (;;) {
    EncodedReader reader(record);
    const std::int64_t filter = reader.read_sleb();
    const std::uint8_t* next = reader.at();
    const std::int64_t distance = reader.read_sleb();
    if (filter == 0) cleans_up = true;
    if (filter > 0 && takes_forced_unwinding(type_number(table, filter))) return CallSite::handles;
    if (filter < 0 && allows_nothing(table, filter)) return CallSite::forbids;
    if (distance == 0) return cleans_up ? CallSite::cleans_up : CallSite::passes;
    record = next + distance;
  }
}

}  // namespace

CallHandling handling_of_call(const FrameHandling& frame, CodeAddress call) noexcept {
  if (frame.exception_table == nullptr) return {};
  const Table table = read_head(frame);
  const std::uint64_t offset = value(call) - value(frame.code.begin);
  for (EncodedReader reader(table.calls); reader.at() < table.actions;) {
    const std::uint64_t begin = reader.read_encoded(table.call_encoding, 0);
    const std::uint64_t length = reader.read_encoded(table.call_encoding, 0);
    const std::uint64_t pad = reader.read_encoded(table.call_encoding, 0);
    const std::uint64_t action = reader.read_uleb();
    if (offset < begin) break;  // they are sorted
    if (offset >= begin + length) continue;
    if (pad == 0) return {};
    const CodeAddress landing_pad{table.landing_base + pad};
    if (action == 0) return {CallSite::cleans_up, landing_pad};
    return {first_action(table, action), landing_pad};
  }
  return {.site = CallSite::unmentioned, .landing_pad = {}};
}

bool mentions_calls(const FrameHandling& frame) noexcept {
  if (frame.exception_table == nullptr) return false;
  const Table table = read_head(frame);
  return table.calls < table.actions;
}

}  // namespace moult::internal
