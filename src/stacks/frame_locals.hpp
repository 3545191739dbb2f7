// The variables of a call in progress, by name and type.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>

#include "moult/detail/opaque.hpp"
#include "moult/relinking.hpp"
#include "symbols/program.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// The innermost call of a function in one thread, with the variables and parameters of the function itself, without
/// inlined functions. Valid while that call stands still: in a stopped program, or when the thread itself reads. A
/// variable that is declared further down has no value yet; the debug information does not show this.
///
/// Reads the debug information of one source file, which takes milliseconds and allocates.
class FrameLocals final : public detail::OpaqueFrameLocals {
 public:
  /// A call of any version of `function` counts. `program` must outlive it. Throws Error: not_found (no such call in
  /// the thread, as far as its stack can be walked; no symbol), unsupported (no debug information).
  FrameLocals(const Program& program, const StoppedWorld& stopped, ThreadId thread, const AnyFunction& function);
  /// The same for the calling thread, without a stop.
  FrameLocals(const Program& program, const AnyFunction& function);
  FrameLocals(FrameLocals&&) noexcept;
  FrameLocals& operator=(FrameLocals&&) noexcept;
  ~FrameLocals();

  /// "worker(int)", "app.cpp:42".
  const std::string& function() const noexcept;
  const std::string& place() const noexcept;
  /// The canonical frame address: the stack pointer at the call. The frame lies below it.
  std::uintptr_t cfa() const noexcept;

  /// Copies the value: from memory, from a register, or by a location expression. Throws Error: not_found (no such
  /// variable, or not in scope there), signature_mismatch (another type or size), unsupported ("x of worker():
  /// optimized out at app.cpp:42; ...").
  void read(std::string_view name, const std::type_info& type, std::span<std::byte> to) const;
  /// The variable's address. Errors as read; also unsupported when the variable is not in memory.
  void* address_of(std::string_view name, const std::type_info& type, std::size_t size) const;

  template <class T>
  T get(std::string_view name) const {
    static_assert(std::is_trivially_copyable_v<T>, "of other types ask for a reference");
    alignas(T) std::byte bytes[sizeof(T)];
    read(name, typeid(T), bytes);
    return __builtin_bit_cast(T, bytes);
  }
  template <class T>
  T& reference(std::string_view name) const {
    return *static_cast<T*>(address_of(name, typeid(T), sizeof(T)));
  }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace moult::internal
