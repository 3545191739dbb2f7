#include "unwind/dwarf_expression.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "platform/mappings.hpp"
#include "unwind/leb128.hpp"

namespace moult::internal {
namespace {

// Operation codes (DWARF 5, 7.7.1).
enum Operation : std::uint8_t {
  op_deref = 0x06,
  op_const1u = 0x08,
  op_const1s = 0x09,
  op_const2u = 0x0A,
  op_const2s = 0x0B,
  op_const4u = 0x0C,
  op_const4s = 0x0D,
  op_const8u = 0x0E,
  op_const8s = 0x0F,
  op_constu = 0x10,
  op_consts = 0x11,
  op_dup = 0x12,
  op_drop = 0x13,
  op_over = 0x14,
  op_swap = 0x16,
  op_and = 0x1A,
  op_minus = 0x1C,
  op_mul = 0x1E,
  op_neg = 0x1F,
  op_not = 0x20,
  op_or = 0x21,
  op_plus = 0x22,
  op_plus_uconst = 0x23,
  op_shl = 0x24,
  op_shr = 0x25,
  op_eq = 0x29,
  op_ge = 0x2A,
  op_gt = 0x2B,
  op_le = 0x2C,
  op_lt = 0x2D,
  op_ne = 0x2E,
  op_lit0 = 0x30,
  op_lit31 = 0x4F,
  op_breg0 = 0x70,
  op_breg31 = 0x8F,
  op_deref_size = 0x94,
  op_nop = 0x96,
};

class Machine final {
 public:
  Machine(const Registers& registers, const std::uint8_t* code, std::uint64_t size) noexcept
      : registers_(registers), at_(code), end_(code + size) {}

  void push(std::uint64_t number) noexcept {
    if (depth_ == stack_.size())
      is_broken_ = true;
    else
      stack_[depth_++] = number;
  }
  std::uint64_t pop() noexcept {
    if (depth_ > 0) return stack_[--depth_];
    is_broken_ = true;
    return 0;
  }

  bool run() noexcept {
    while (at_ < end_ && !is_broken_)
      if (!execute(*at_++)) return false;
    return !is_broken_ && depth_ > 0;
  }

 private:
  template <class T>
  std::uint64_t take() noexcept {
    T number{};
    if (end_ - at_ < static_cast<std::ptrdiff_t>(sizeof number)) return broken();
    std::memcpy(&number, at_, sizeof number);
    at_ += sizeof number;
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(number));
  }

  /// A number of variable length.
  template <class Number>
  std::uint64_t take(Number (&read)(const std::uint8_t*&) noexcept) noexcept {
    const bool ends = std::any_of(at_, end_, [](std::uint8_t byte) { return (byte & 0x80) == 0; });
    return ends ? static_cast<std::uint64_t>(read(at_)) : broken();
  }

  std::uint64_t broken() noexcept {
    is_broken_ = true;
    return 0;
  }

  bool execute(std::uint8_t operation) noexcept {
    if (operation >= op_lit0 && operation <= op_lit31) return push(std::uint64_t{operation} - op_lit0), true;
    if (operation >= op_breg0 && operation <= op_breg31) {
      std::size_t number = std::size_t{operation} - op_breg0;
      if (number >= registers_.size()) return false;
      return push(registers_[number] + take(read_sleb128)), true;
    }
    return constant(operation) || on_one(operation) || on_two(operation);
  }

  bool constant(std::uint8_t operation) noexcept {
    switch (operation) {
      case op_const1u: push(take<std::uint8_t>()); return true;
      case op_const1s: push(take<std::int8_t>()); return true;
      case op_const2u: push(take<std::uint16_t>()); return true;
      case op_const2s: push(take<std::int16_t>()); return true;
      case op_const4u: push(take<std::uint32_t>()); return true;
      case op_const4s: push(take<std::int32_t>()); return true;
      case op_const8u:
      case op_const8s: push(take<std::int64_t>()); return true;
      case op_constu: push(take(read_uleb128)); return true;
      case op_consts: push(take(read_sleb128)); return true;
      case op_nop: return true;
      default: return false;
    }
  }

  bool on_one(std::uint8_t operation) noexcept {
    switch (operation) {
      case op_dup: {
        std::uint64_t top = pop();
        push(top);
        push(top);
        return true;
      }
      case op_drop: pop(); return true;
      case op_neg: push(0 - pop()); return true;
      case op_not: push(~pop()); return true;
      case op_plus_uconst: push(pop() + take(read_uleb128)); return true;
      case op_deref: return dereference(sizeof(std::uint64_t));
      case op_deref_size: return dereference(take<std::uint8_t>());
      default: return false;
    }
  }

  bool dereference(std::uint64_t size) noexcept {
    std::uint64_t address = pop();
    std::uint64_t word = 0;
    if (is_broken_ || size == 0 || size > sizeof word) return false;
    if (!is_readable(address) || !is_readable(address + size - 1)) return false;
    read_unchecked(address, size, reinterpret_cast<std::uint8_t*>(&word));
    push(word);
    return true;
  }

  /// The address sanitizer marks parts of stacks, and intercepts memcpy.
  [[gnu::no_sanitize_address]] static void read_unchecked(std::uint64_t address, std::uint64_t size,
                                                          std::uint8_t* to) noexcept {
    const auto* const from = reinterpret_cast<const volatile std::uint8_t*>(address);
    for (std::uint64_t i = 0; i < size; ++i) to[i] = from[i];
  }

  bool on_two(std::uint8_t operation) noexcept {
    std::uint64_t b = pop();
    std::uint64_t a = pop();
    std::int64_t signed_a = static_cast<std::int64_t>(a);
    std::int64_t signed_b = static_cast<std::int64_t>(b);
    switch (operation) {
      case op_over:
        push(a);
        push(b);
        push(a);
        return true;
      case op_swap:
        push(b);
        push(a);
        return true;
      case op_and: push(a & b); return true;
      case op_or: push(a | b); return true;
      case op_plus: push(a + b); return true;
      case op_minus: push(a - b); return true;
      case op_mul: push(a * b); return true;
      case op_shl: push(b < 64 ? a << b : 0); return true;
      case op_shr: push(b < 64 ? a >> b : 0); return true;
      case op_eq: push(signed_a == signed_b); return true;
      case op_ne: push(signed_a != signed_b); return true;
      case op_ge: push(signed_a >= signed_b); return true;
      case op_gt: push(signed_a > signed_b); return true;
      case op_le: push(signed_a <= signed_b); return true;
      case op_lt: push(signed_a < signed_b); return true;
      default: return false;
    }
  }

  const Registers& registers_;
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  std::array<std::uint64_t, 16> stack_{};
  std::size_t depth_ = 0;
  bool is_broken_ = false;
};

}  // namespace

bool evaluate_expression(const std::uint8_t* expression, const Registers& registers, bool push_initial,
                         std::uint64_t initial, std::uint64_t& result) noexcept {
  const std::uint64_t length = read_uleb128(expression);
  Machine machine(registers, expression, length);
  if (push_initial) machine.push(initial);
  if (!machine.run()) return false;
  result = machine.pop();
  return true;
}

}  // namespace moult::internal
