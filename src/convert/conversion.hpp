// A conversion of the objects of one class, whenever it converts them.
#pragma once

#include <cstddef>
#include <string>

#include "pools/object_class.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// The order: check, reserve while the program runs; build and exchange in the stop; then either put_back or end_olds
/// in the same stop. go_on when the program runs again.
class Conversion {
 public:
  Conversion() = default;
  virtual ~Conversion() = default;
  Conversion(const Conversion&) = delete;
  Conversion& operator=(const Conversion&) = delete;

  virtual const ObjectClass& old_class() const noexcept = 0;
  virtual const ObjectClass& new_class() const noexcept = 0;

  /// Throws Error (layout_mismatch) when the new objects do not fit the slots of a pool that holds old ones.
  virtual void check() const = 0;
  /// Takes memory for as many objects as live now, and some more. Throws std::bad_alloc.
  virtual void reserve() = 0;

  /// Whatever can fail. Throws what the transformer throws; Error: as check does; unsupported where a pool would hold
  /// objects of three classes; still_active when a thread may be about to construct one. Nothing has changed then.
  virtual void build(const StoppedWorld& stopped) = 0;
  /// After build, instead of exchange.
  virtual void discard() noexcept = 0;
  /// After build: from here on the objects are of the new class.
  virtual void exchange(const StoppedWorld& stopped) noexcept = 0;
  /// After exchange: every object is again what it was, byte by byte.
  virtual void put_back(const StoppedWorld& stopped) noexcept = 0;
  /// After exchange: there is no way back from here, and the old values are destroyed.
  virtual void end_olds(const StoppedWorld& stopped) noexcept = 0;
  /// What need not be done in the stop.
  virtual void go_on() noexcept = 0;

  /// Throws Error (unsupported) when what was converted is of yet another class by now.
  virtual void require_current() const = 0;
  /// What it does, for who asks what there is to undo.
  virtual std::string describe() const = 0;
  /// Of objects converted so far.
  virtual std::size_t count() const noexcept = 0;
};

}  // namespace moult::internal
