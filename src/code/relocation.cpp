// How: an instruction is copied unchanged, with three exceptions.
// - An operand relative to rip: its distance is corrected.
// - A jump, conditional or not: it is written with four bytes of distance.
// - A call: it becomes a jump after a push of the old return address, which is stored behind the code. The called
//   function returns into the original function, behind the overwritten bytes. An indirect call becomes an indirect
//   jump by the three bits that distinguish them.
//
// Limits: loop, jrcxz and xbegin have no long form. An indirect call through the stack pointer would find it moved.
#include "code/relocation.hpp"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <span>
#include <utility>

#include "code/decoder.hpp"
#include "moult/error.hpp"
#include "platform/x86_64/encodings.hpp"

namespace moult::internal {
namespace {

class Mover final {
 public:
  Mover(const std::string& name, const CodeBytes& code, CodeAddress to) : name_(name), code_(code), to_(to) {}

  MovedCode move(std::size_t least) {
    std::size_t offset = 0;
    bool goes_on = true;
    while (offset < least && goes_on) {
      const CodeAddress at = code_.begin + offset;
      const std::span<const std::uint8_t> bytes = code_.bytes.subspan(std::min(offset, code_.bytes.size()));
      const std::optional<Instruction> instruction = decode(bytes, at);
      if (!instruction || instruction->kind == InstructionKind::breakpoint) refuse(at, "cannot be read");
      step(at);
      move(*instruction, at, bytes.first(instruction->length));
      offset += instruction->length;
      goes_on = instruction->goes_on && !instruction->is_call;
      if (instruction->is_call && offset < least) refuse(at, "is a call that returns into the bytes of the entry jump");
    }
    if (goes_on) {
      step(code_.begin + offset);
      jump(value(code_.begin) + offset);
    }
    append_returns();
    return std::move(moved_);
  }

 private:
  /// Eight bytes behind the code, which an instruction of it pushes.
  struct Return {
    std::size_t displacement_at;
    CodeAddress address;
  };

  [[noreturn]] void refuse(CodeAddress at, const char* why) const {
    throw Error(ErrorCode::unsupported_code, name_ + "+" + hex_text(value(at) - value(code_.begin)) +
                                                 ": the instruction there " + why +
                                                 ", so it cannot be executed elsewhere");
  }

  CodeAddress here() const noexcept { return to_ + moved_.bytes.size(); }
  void step(std::optional<CodeAddress> original) { moved_.steps.push_back({moved_.bytes.size(), original}); }
  void append(std::span<const std::uint8_t> bytes) {
    moved_.bytes.insert(moved_.bytes.end(), bytes.begin(), bytes.end());
  }

  void put_distance(std::size_t at, std::size_t instruction_end, std::uintptr_t target) {
    const std::optional<std::int32_t> distance = x86_64::displacement(to_ + instruction_end, 0, target);
    if (!distance)
      throw Error(ErrorCode::no_room, name_ + ": what its first instructions refer to at " + hex_text(target) +
                                          " is out of reach of the free memory near it; redefine its callers instead");
    std::memcpy(moved_.bytes.data() + at, &*distance, sizeof *distance);
  }

  /// An instruction that ends with four bytes of distance.
  void branch(std::initializer_list<std::uint8_t> opcode, std::uintptr_t target) {
    moved_.bytes.insert(moved_.bytes.end(), opcode);
    const std::size_t at = moved_.bytes.size();
    moved_.bytes.resize(at + sizeof(std::int32_t));
    put_distance(at, moved_.bytes.size(), target);
  }
  void jump(std::uintptr_t target) { branch({x86_64::JumpRel32{}.opcode}, target); }

  void push_return(CodeAddress address) {
    moved_.bytes.insert(moved_.bytes.end(), {0xFF, 0x35, 0, 0, 0, 0});
    returns_.push_back({moved_.bytes.size() - sizeof(std::int32_t), address});
    step(std::nullopt);
  }

  void append_returns() {
    for (const Return& each : returns_) {
      moved_.bytes.resize((moved_.bytes.size() + 7) / 8 * 8, x86_64::breakpoint_opcode);
      const std::size_t at = moved_.bytes.size();
      const std::uint64_t address = value(each.address);
      moved_.bytes.resize(at + sizeof address);
      std::memcpy(moved_.bytes.data() + at, &address, sizeof address);
      put_distance(each.displacement_at, each.displacement_at + sizeof(std::int32_t), value(to_) + at);
    }
  }

  void move(const Instruction& instruction, CodeAddress at, std::span<const std::uint8_t> bytes) {
    if (instruction.kind == InstructionKind::direct_call) {
      push_return(at + instruction.length);
      return jump(value(*instruction.target));
    }
    if (instruction.is_call) return move_indirect_call(instruction, at, bytes);
    if (instruction.condition)
      return branch({0x0F, static_cast<std::uint8_t>(0x80 | *instruction.condition)}, value(*instruction.target));
    if (instruction.is_plain_jump) return jump(value(*instruction.target));
    if (instruction.target) refuse(at, "has no form that reaches far enough");
    copy(instruction, at, bytes);
  }

  void move_indirect_call(const Instruction& instruction, CodeAddress at, std::span<const std::uint8_t> bytes) {
    constexpr std::uint8_t which = 0x38;  // of FF: /2 is call, /4 is jmp
    constexpr std::uint8_t call = 2 << 3;
    constexpr std::uint8_t jump = 4 << 3;
    if (instruction.modrm == 0 || (bytes[instruction.modrm] & which) != call || instruction.uses_stack_pointer)
      refuse(at, "is a call by way of the stack");
    push_return(at + instruction.length);
    const std::size_t begin = moved_.bytes.size();
    copy(instruction, at, bytes);
    std::uint8_t& modrm = moved_.bytes[begin + instruction.modrm];
    modrm = static_cast<std::uint8_t>((modrm & ~which) | jump);
  }

  void copy(const Instruction& instruction, CodeAddress at, std::span<const std::uint8_t> bytes) {
    const std::size_t begin = moved_.bytes.size();
    append(bytes);
    if (const std::optional<std::uintptr_t> target = rip_operand(instruction, bytes, at))
      put_distance(begin + *instruction.rip_displacement, moved_.bytes.size(), *target);
  }

  const std::string& name_;
  const CodeBytes& code_;
  CodeAddress to_;
  MovedCode moved_;
  std::vector<Return> returns_;
};

}  // namespace

MovedCode move_code(const std::string& name, const CodeBytes& code, std::size_t least, CodeAddress to) {
  return Mover(name, code, to).move(least);
}

}  // namespace moult::internal
