// Reads the numbers and pointers of unwind information.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "unwind/leb128.hpp"

namespace moult::internal {

/// Pointer encodings (LSB 5.0, 10.5.1).
namespace encoded {
enum Encoding : std::uint8_t {
  absptr = 0x00,
  uleb128 = 0x01,
  udata2 = 0x02,
  udata4 = 0x03,
  udata8 = 0x04,
  sleb128 = 0x09,
  sdata2 = 0x0A,
  sdata4 = 0x0B,
  sdata8 = 0x0C,
  pcrel = 0x10,
  datarel = 0x30,
  indirect = 0x80,
  omit = 0xFF,
};
}  // namespace encoded

/// Reads forward through unwind information, which is trusted to be well formed because the linker made it.
class EncodedReader final {
 public:
  explicit EncodedReader(const std::uint8_t* at) noexcept : at_(at) {}

  const std::uint8_t* at() const noexcept { return at_; }
  void skip(std::size_t bytes) noexcept { at_ += bytes; }

  template <class T>
  T read() noexcept {
    T number;
    std::memcpy(&number, at_, sizeof number);
    at_ += sizeof number;
    return number;
  }

  std::uint64_t read_uleb() noexcept { return read_uleb128(at_); }
  std::int64_t read_sleb() noexcept { return read_sleb128(at_); }

  std::uint64_t read_encoded(std::uint8_t encoding, std::uint64_t data_base) noexcept {
    if (encoding == encoded::omit) return 0;
    std::uint64_t base = 0;
    if ((encoding & 0x70) == encoded::pcrel) base = reinterpret_cast<std::uint64_t>(at_);
    if ((encoding & 0x70) == encoded::datarel) base = data_base;
    std::uint64_t number = 0;
    switch (encoding & 0x0F) {
      case encoded::absptr:
      case encoded::udata8: number = read<std::uint64_t>(); break;
      case encoded::uleb128: number = read_uleb(); break;
      case encoded::udata2: number = read<std::uint16_t>(); break;
      case encoded::udata4: number = read<std::uint32_t>(); break;
      case encoded::sleb128: number = static_cast<std::uint64_t>(read_sleb()); break;
      case encoded::sdata2: number = static_cast<std::uint64_t>(std::int64_t{read<std::int16_t>()}); break;
      case encoded::sdata4: number = static_cast<std::uint64_t>(std::int64_t{read<std::int32_t>()}); break;
      case encoded::sdata8: number = static_cast<std::uint64_t>(read<std::int64_t>()); break;
      default: return 0;
    }
    if (number == 0) return 0;
    number += base;
    if ((encoding & encoded::indirect) != 0) std::memcpy(&number, reinterpret_cast<const void*>(number), sizeof number);
    return number;
  }

 private:
  const std::uint8_t* at_;
};

}  // namespace moult::internal
