#include "stacks/frame_locals.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "alterability/quiescence.hpp"
#include "base/fault.hpp"
#include "moult/error.hpp"
#include "platform/tasks.hpp"
#include "stacks/local_lookup.hpp"

namespace moult::internal {

struct FrameLocals::State {
  const Program* program = nullptr;
  FrameState frame;
  std::optional<FrameState> caller;
  std::vector<std::uint64_t> vectors;
  std::string function;
  std::string place;

  struct Found {
    NamedLocals locals;
    const FrameVariable* variable = nullptr;
    FoundVariable at;
  };
  template <class Use>
  void with(std::string_view name, const std::type_info& type, std::size_t size, Use&& use) const;
  std::optional<std::uint64_t> at_call(std::uint64_t number) const;
};

namespace {

/// Walks by `walk(visit)` to the innermost frame with code of `function`.
template <class Walk>
bool find_frame(const std::vector<FunctionExtent>& extents, Walk&& walk, FrameState& frame,
                std::optional<FrameState>& caller, std::string& name) {
  bool is_found = false;
  bool is_innermost = true;
  walk([&](const FrameState& state) {
    if (is_found) {
      caller = state;
      return false;
    }
    const CodeAddress code = state.frame.lookup_address();
    const auto extent =
        std::find_if(extents.begin(), extents.end(), [code](const FunctionExtent& one) { return one.contains(code); });
    if (extent == extents.end()) {
      is_innermost = false;
      return true;
    }
    is_found = true;
    frame = state;
    name = extent->name;
    return true;
  });
  return is_found && is_innermost;
}

}  // namespace

template <class Use>
void FrameLocals::State::with(std::string_view name, const std::type_info& type, std::size_t size, Use&& use) const {
  MOULT_FAULT("stacks.locals.find");
  const CodeAddress code = frame.frame.lookup_address();
  const NamedLocals locals = find_locals(*program, code, function, name);
  const FrameVariable* variable = locals.at(code);
  if (variable == nullptr)
    throw Error(ErrorCode::not_found, locals.text() + ": not in scope at " + place +
                                          ", where the call stands; declare it further out, or stop further in");
  require_type(locals, *variable, type, size);
  StoppedFrame stopped(frame, locals.described, read_process_memory);
  stopped.set_vectors(vectors);
  stopped.set_at_call([this](std::uint64_t number) { return at_call(number); });
  const FoundVariable found = find_variable(*variable, stopped);
  use(locals, *variable, found, stopped);
}

std::optional<std::uint64_t> FrameLocals::State::at_call(std::uint64_t number) const {
  if (!caller) return std::nullopt;
  const std::vector<CallValue> values = values_at_call(*program, frame.frame.lookup_address(), caller->frame.pc);
  const std::optional<FrameDescription> described = describe_frame(*program, caller->frame.lookup_address());
  const auto known =
      std::find_if(values.begin(), values.end(), [number](const CallValue& one) { return one.number == number; });
  if (known == values.end() || !described) return std::nullopt;
  return evaluate_number(known->value, StoppedFrame(*caller, *described, read_process_memory));
}

FrameLocals::FrameLocals(const Program& program, const StoppedWorld& stopped, ThreadId thread,
                         const AnyFunction& function)
    : state_(std::make_unique<State>()) {
  state_->program = &program;
  const std::vector<FunctionExtent> extents = extents_of_versions(program, function);
  const bool is_innermost = find_frame(
      extents, [&](auto&& visit) { walk_frames(stopped, thread, visit); }, state_->frame, state_->caller,
      state_->function);
  if (state_->function.empty())
    throw Error(ErrorCode::not_found,
                extents.front().name + ": no call of it is in progress in " + describe_thread(thread));
  if (const ucontext_t* context = stopped.context(thread); context != nullptr && is_innermost) {
    const std::span<const std::uint64_t> vectors = vector_words_of(*context);
    state_->vectors.assign(vectors.begin(), vectors.end());
  }
  state_->place = place_text(program, state_->frame.frame.lookup_address());
}

FrameLocals::FrameLocals(const Program& program, const AnyFunction& function) : state_(std::make_unique<State>()) {
  state_->program = &program;
  const std::vector<FunctionExtent> extents = extents_of_versions(program, function);
  find_frame(
      extents, [&](auto&& visit) { walk_own_frames(visit); }, state_->frame, state_->caller, state_->function);
  if (state_->function.empty())
    throw Error(ErrorCode::not_found, extents.front().name + ": no call of it is in progress in the thread that asks");
  state_->place = place_text(program, state_->frame.frame.lookup_address());
}

FrameLocals::FrameLocals(FrameLocals&&) noexcept = default;
FrameLocals& FrameLocals::operator=(FrameLocals&&) noexcept = default;
FrameLocals::~FrameLocals() = default;

const std::string& FrameLocals::function() const noexcept { return state_->function; }
const std::string& FrameLocals::place() const noexcept { return state_->place; }
std::uintptr_t FrameLocals::cfa() const noexcept { return state_->frame.cfa; }

void FrameLocals::read(std::string_view name, const std::type_info& type, std::span<std::byte> to) const {
  state_->with(name, type, to.size(),
               [&](const NamedLocals& locals, const FrameVariable& variable, const FoundVariable& found,
                   const StoppedFrame& frame) {
                 const std::optional<std::vector<std::byte>> bytes = value_of(variable, found, frame);
                 if (!bytes)
                   throw Error(ErrorCode::unsupported, locals.text() + ": " + missing_text(found, state_->place));
                 std::copy(bytes->begin(), bytes->end(), to.begin());
               });
}

void* FrameLocals::address_of(std::string_view name, const std::type_info& type, std::size_t size) const {
  void* address = nullptr;
  state_->with(name, type, size,
               [&](const NamedLocals& locals, const FrameVariable& variable, const FoundVariable& found,
                   const StoppedFrame& frame) {
                 const bool is_one = found.location.size() == 1 && found.location.front().size == 0;
                 if (is_one && found.location.front().kind == LocationPiece::Kind::memory) {
                   address = reinterpret_cast<void*>(found.location.front().place);
                   return;
                 }
                 if (!value_of(variable, found, frame))
                   throw Error(ErrorCode::unsupported, locals.text() + ": " + missing_text(found, state_->place));
                 throw Error(ErrorCode::unsupported, locals.text() + ": in no memory at " + state_->place +
                                                         ", so that no reference to it can be had; declare it "
                                                         "volatile, or take its value");
               });
  return address;
}

}  // namespace moult::internal
