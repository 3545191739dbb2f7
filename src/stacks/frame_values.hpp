// A stopped frame and its debug information brought together: where its variables are, and what they are.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "symbols/frame_variables.hpp"
#include "threads/frame_walk.hpp"

namespace moult::internal {

/// Reads memory: that of the process, or a copy of a stack in front of it.
using ReadStack = std::function<bool(std::uint64_t address, std::span<std::byte> to)>;
/// What a register held when the frame's function was called.
using AtCall = std::function<std::optional<std::uint64_t>(std::uint64_t number)>;

/// One frame, as location expressions ask for it. What it is made of must outlive it.
class StoppedFrame final : public FrameValues {
 public:
  StoppedFrame(const FrameState& state, const FrameDescription& described, ReadStack memory)
      : state_(state), described_(described), memory_(std::move(memory)) {}

  /// The vector registers as they are in the stopped thread: of its innermost frame.
  void set_vectors(std::span<const std::uint64_t> vectors) noexcept { vectors_ = vectors; }
  void set_at_call(AtCall at_call) { at_call_ = std::move(at_call); }

  const FrameState& state() const noexcept { return state_; }
  const FrameDescription& described() const noexcept { return described_; }
  /// The instruction that is, or has called what is, executed.
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

/// Where a variable is in one frame.
struct FoundVariable {
  Location location;                     ///< none: nowhere
  std::size_t entries = 0;               ///< how many of its entries speak of this place of the code
  const LocationEntry* entry = nullptr;  ///< the first of them
  bool is_early = false;                 ///< the frame is not set up yet, or taken down already

  bool is_there() const noexcept;
};

FoundVariable find_variable(const FrameVariable& variable, const StoppedFrame& frame);

/// The bytes of a variable that is there as a whole, or is a constant.
std::optional<std::vector<std::byte>> value_of(const FrameVariable& variable, const FoundVariable& found,
                                               const StoppedFrame& frame);

/// The process's own memory.
bool read_process_memory(std::uint64_t address, std::span<std::byte> to);

/// "rbx", "xmm0", "register 40".
std::string register_name(std::uint64_t number);

}  // namespace moult::internal
