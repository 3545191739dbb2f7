// A stopped frame and its debug information together: the places and values of its variables.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "symbols/frame_variables.hpp"
#include "threads/frame_walk.hpp"

namespace moult::internal {

/// Reads memory of the process, or first from a copy of a stack.
using ReadStack = std::function<bool(std::uint64_t address, std::span<std::byte> to)>;
/// The content of a register when the frame's function was called.
using AtCall = std::function<std::optional<std::uint64_t>(std::uint64_t number)>;

/// One frame, as the source of values for location expressions. Its parts must outlive it.
class StoppedFrame final : public FrameValues {
 public:
  StoppedFrame(const FrameState& state, const FrameDescription& described, ReadStack memory)
      : state_(state), described_(described), memory_(std::move(memory)) {}

  /// The vector registers of the stopped thread, for its innermost frame.
  void set_vectors(std::span<const std::uint64_t> vectors) noexcept { vectors_ = vectors; }
  void set_at_call(AtCall at_call) { at_call_ = std::move(at_call); }

  const FrameState& state() const noexcept { return state_; }
  const FrameDescription& described() const noexcept { return described_; }
  /// The current instruction; in outer frames, the call.
  CodeAddress code() const noexcept { return state_.frame.lookup_address(); }

  bool read_register(std::uint64_t number, std::span<std::byte> to) const override;
  bool read_memory(std::uint64_t address, std::span<std::byte> to) const override;
  std::optional<std::uint64_t> cfa() const override;
  std::optional<std::uint64_t> frame_base() const override;
  std::optional<std::uint64_t> entry_value(const LocationExpression& inner) const override;

 private:
  const FrameState& state_;
  const FrameDescription& described_;
  ReadStack memory_;
  std::span<const std::uint64_t> vectors_;
  AtCall at_call_;
};

/// The place of a variable in one frame.
struct FoundVariable {
  Location location;                     ///< empty: no place
  std::size_t entries = 0;               ///< the number of location entries for this instruction
  const LocationEntry* entry = nullptr;  ///< the first of them
  bool is_early = false;                 ///< the frame is not set up yet, or no longer

  bool is_there() const noexcept;
};

FoundVariable find_variable(const FrameVariable& variable, const StoppedFrame& frame);

/// The bytes of a variable that is completely available, or constant.
std::optional<std::vector<std::byte>> value_of(const FrameVariable& variable, const FoundVariable& found,
                                               const StoppedFrame& frame);

/// The process's own memory.
bool read_process_memory(std::uint64_t address, std::span<std::byte> to);

/// "rbx", "xmm0", "register 40".
std::string register_name(std::uint64_t number);

}  // namespace moult::internal
