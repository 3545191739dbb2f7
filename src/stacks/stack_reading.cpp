// Frames and variables exist together only in a stop, and names are slow to read. So the stop copies registers and
// stack, and everything else works on the copy.
//
// Limits: memory outside of the stack is read when the program runs again, and may have changed by then. A static
// variable is shown with its value of that moment; a pointer to text may lead to other content.
#include "stacks/stack_reading.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/fault.hpp"
#include "moult/error.hpp"
#include "stacks/frame_values.hpp"
#include "threads/current_stop.hpp"

namespace moult::internal {
namespace {

std::string place_of_register(std::uint64_t number, const FrameState& state) {
  std::string text = "in " + register_name(number);
  if (number < register_count && state.places[number].kind == RegisterPlace::Kind::stored)
    text += ", saved at " + hex_text(state.places[number].address);
  return text;
}

std::string place_of(const FrameVariable& variable, const FoundVariable& found, const StoppedFrame& frame) {
  if (found.is_early) return "not there yet";
  if (!found.is_there()) return variable.entries.empty() && !variable.constant.empty() ? "a value" : "optimized out";
  if (found.location.size() > 1) return "in several pieces";
  const LocationPiece& only = found.location.front();
  switch (only.kind) {
    case LocationPiece::Kind::memory: return "at " + hex_text(only.place);
    case LocationPiece::Kind::in_register: return place_of_register(only.place, frame.state());
    default: return "a value";
  }
}

StackVariable describe(const FrameVariable& variable, const StoppedFrame& frame) {
  StackVariable described{variable.name, variable.type.name, variable.is_parameter, {}, {}};
  const FoundVariable found = find_variable(variable, frame);
  const std::optional<std::vector<std::byte>> bytes = value_of(variable, found, frame);
  described.where = place_of(variable, found, frame);
  if (bytes)
    described.value = value_text(variable.type, *bytes, frame);
  else if (found.is_there() && found.location.front().kind == LocationPiece::Kind::in_register)
    described.where = "optimized out";  // a call has overwritten the register
  return described;
}

class Description final {
 public:
  Description(const Program& program, const StackCopy& copy) : program_(program), copy_(copy) {
    for (const FrameState& state : copy.frames()) {
      std::optional<FrameDescription> one = describe_frame(program, state.frame.lookup_address());
      described_.push_back(one ? std::move(*one) : FrameDescription());
    }
  }

  std::vector<StackFrame> run() {
    std::vector<StackFrame> frames;
    for (std::size_t i = 0; i < described_.size(); ++i) add(i, frames);
    if (!frames.empty()) frames.back().is_precise = copy_.is_whole();
    return frames;
  }

 private:
  void add(std::size_t number, std::vector<StackFrame>& frames) const {
    const FrameState& state = copy_.frames()[number];
    const CodeAddress code = state.frame.lookup_address();
    const std::unique_ptr<StoppedFrame> frame = values_of(number);
    SourceLine line = program_.line_of(code).value_or(SourceLine{});
    for (const FrameFunction& function : described_[number].functions) {
      StackFrame& made = frames.emplace_back(made_of(state, line));
      made.function = function.name;
      made.is_inlined = function.is_inlined;
      for (const FrameVariable& variable : function.variables) made.variables.push_back(describe(variable, *frame));
      line = function.line;
    }
    if (described_[number].functions.empty()) frames.push_back(made_of(state, line));
    const std::optional<FunctionSymbol> symbol = program_.at(code);
    if (symbol && !symbol->demangled.empty()) frames.back().function = symbol->demangled;
  }

  static StackFrame made_of(const FrameState& state, const SourceLine& line) {
    StackFrame frame;
    frame.file = line.file;
    frame.line = line.line;
    frame.code = value(state.frame.pc);
    return frame;
  }

  std::unique_ptr<StoppedFrame> values_of(std::size_t number) const {
    auto frame = std::make_unique<StoppedFrame>(copy_.frames()[number], described_[number],
                                                [this](std::uint64_t address, std::span<std::byte> to) {
                                                  return copy_.read(address, to) || read_process_memory(address, to);
                                                });
    if (number == 0) frame->set_vectors(copy_.vectors());
    if (number + 1 < described_.size())
      frame->set_at_call([this, number](std::uint64_t wanted) { return at_call(number, wanted); });
    return frame;
  }

  /// The value that the caller of frame `number` put into a register.
  std::optional<std::uint64_t> at_call(std::size_t number, std::uint64_t wanted) const {
    const std::vector<CallValue> values =
        values_at_call(program_, copy_.frames()[number].frame.lookup_address(), copy_.frames()[number + 1].frame.pc);
    const auto known =
        std::find_if(values.begin(), values.end(), [wanted](const CallValue& one) { return one.number == wanted; });
    return known != values.end() ? evaluate_number(known->value, *values_of(number + 1)) : std::nullopt;
  }

  const Program& program_;
  const StackCopy& copy_;
  std::vector<FrameDescription> described_;
};

}  // namespace

std::vector<StackFrame> describe_stack(const Program& program, const StackCopy& copy) {
  MOULT_FAULT("stacks.stack.describe");
  return Description(program, copy).run();
}

}  // namespace moult::internal

namespace moult {

std::vector<StackFrame> read_stack(ThreadId thread, std::chrono::milliseconds timeout) {
  constexpr std::size_t most_frames = 1000;
  internal::StackCopy copy;
  internal::in_stopped_world({.timeout = timeout, .keep_out = {}}, [&](const internal::StoppedWorld& stopped) {
    MOULT_FAULT("stacks.stack.copy");
    copy = internal::StackCopy::of(stopped, thread, most_frames);
  });
  if (copy.frames().empty())
    throw Error(ErrorCode::not_found, "thread " + std::to_string(static_cast<int>(thread)) +
                                          ": there is no such thread in the program; it may have ended");
  return internal::describe_stack(internal::Program::of_this_process(), copy);
}

}  // namespace moult
