#include "diff/code_alignment.hpp"

#include "base/address.hpp"
#include "code/decoder.hpp"

namespace moult::internal::diff {
namespace {

using Bytes = std::span<const std::uint8_t>;

std::optional<Instruction> decode_in(Bytes code, std::uint64_t offset) {
  if (offset >= code.size()) return std::nullopt;
  return decode(code.subspan(offset), CodeAddress{offset});
}

void skip_nops(Bytes code, std::uint64_t& offset) {
  for (std::optional<Instruction> each = decode_in(code, offset); each && each->kind == InstructionKind::nop;
       each = decode_in(code, offset))
    offset += each->length;
}

bool is_same_jump(const Instruction& a, const Instruction& b) {
  return a.kind == b.kind && a.condition == b.condition && a.is_plain_jump == b.is_plain_jump;
}

class Walk final {
 public:
  Walk(Bytes object, Bytes linked, const std::function<bool(std::uint64_t, std::uint64_t)>& is_relocated)
      : object_(object), linked_(linked), is_relocated_(is_relocated) {}

  std::optional<CodeAlignment> run();

 private:
  bool is_jump(const Instruction& instruction) const;
  bool step_over_jump(const Instruction& jump);
  void step_over_padding();
  void note_place();
  void end_stretch();

  Bytes object_;
  Bytes linked_;
  const std::function<bool(std::uint64_t, std::uint64_t)>& is_relocated_;
  std::uint64_t at_ = 0;         ///< in the object
  std::uint64_t linked_at_ = 0;  ///< in the program
  std::uint64_t stretch_ = 0;    ///< the beginning of the current one, in the object
  CodeAlignment result_;
};

std::optional<CodeAlignment> Walk::run() {
  while (at_ < object_.size()) {
    const std::optional<Instruction> instruction = decode_in(object_, at_);
    if (!instruction) return std::nullopt;
    if (instruction->kind == InstructionKind::nop) {
      step_over_padding();
    } else if (is_jump(*instruction)) {
      note_place();
      end_stretch();
      if (!step_over_jump(*instruction)) return std::nullopt;
      stretch_ = at_;
    } else {
      note_place();
      at_ += instruction->length;
      linked_at_ += instruction->length;
    }
    if (linked_at_ > linked_.size()) return std::nullopt;
  }
  end_stretch();
  note_place();
  if (linked_at_ != linked_.size()) return std::nullopt;
  return std::move(result_);
}

/// The instruction at `at_` has its counterpart at `linked_at_`, perhaps behind padding that only the program has.
void Walk::note_place() {
  const std::uint64_t begin = linked_at_;
  std::uint64_t end = begin;
  skip_nops(linked_, end);
  if (end != begin) {
    end_stretch();
    stretch_ = at_;
    linked_at_ = end;
  }
  result_.places.emplace(at_, LinkedPlace{begin, end});
}

/// Padding of the object; the program may have less, more or none.
void Walk::step_over_padding() {
  end_stretch();
  const std::uint64_t begin = at_;
  const std::uint64_t linked_begin = linked_at_;
  skip_nops(object_, at_);
  skip_nops(linked_, linked_at_);
  result_.places.emplace(begin, LinkedPlace{linked_begin, linked_at_});
  result_.places.emplace(at_, LinkedPlace{linked_begin, linked_at_});
  stretch_ = at_;
}

/// The linker may turn a relocated call into something else, of the same length.
bool Walk::is_jump(const Instruction& instruction) const {
  if (instruction.kind == InstructionKind::direct_jump) return true;
  return instruction.kind == InstructionKind::direct_call && !is_relocated_(at_, at_ + instruction.length);
}

bool Walk::step_over_jump(const Instruction& jump) {
  const std::optional<Instruction> linked = decode_in(linked_, linked_at_);
  if (!linked || !linked->target || !jump.target || !is_same_jump(jump, *linked)) return false;
  // Neither a jump of its own kind (loop, jrcxz) has two lengths.
  if (!jump.is_plain_jump && !jump.condition && object_[at_] != linked_[linked_at_]) return false;
  result_.jumps.push_back({at_, at_ + jump.length, value(*jump.target), value(*linked->target)});
  at_ += jump.length;
  linked_at_ += linked->length;
  return true;
}

void Walk::end_stretch() {
  if (at_ > stretch_) result_.stretches.push_back({stretch_, at_, linked_at_ - (at_ - stretch_)});
}

}  // namespace

std::optional<CodeAlignment> align_code(Bytes object, Bytes linked,
                                        const std::function<bool(std::uint64_t, std::uint64_t)>& is_relocated) {
  return Walk(object, linked, is_relocated).run();
}

}  // namespace moult::internal::diff
