// A conversion of the objects of one class, eager or lazy.
#pragma once

#include <cstddef>
#include <string>

#include "pools/object_class.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// The order of calls: check and reserve while the program runs; build and exchange in the stop; put_back or end_olds
/// later in the same stop; go_on when the program runs again.
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
  /// Takes memory for the objects that live now, and for some more. Throws std::bad_alloc.
  virtual void reserve() = 0;

  /// Takes every step that can fail; after a throw nothing has changed. Throws what the transformer throws, and Error:
  /// layout_mismatch: as check does
  /// unsupported: a pool would hold objects of three classes
  /// still_active: a thread may be about to construct an object of the class
  virtual void build(const StoppedWorld& stopped) = 0;
  /// After build, instead of exchange.
  virtual void discard() noexcept = 0;
  /// After build: from now on the objects are of the new class.
  virtual void exchange(const StoppedWorld& stopped) noexcept = 0;
  /// After exchange: every object is again what it was, byte by byte.
  virtual void put_back(const StoppedWorld& stopped) noexcept = 0;
  /// After exchange: the conversion can no longer be undone, and the old values are destroyed.
  virtual void end_olds(const StoppedWorld& stopped) noexcept = 0;
  /// Does the work that needs no stop.
  virtual void go_on() noexcept = 0;

  /// Throws Error (unsupported) when the converted objects are of yet another class by now.
  virtual void require_current() const = 0;
  /// For the list of changes that a user can undo.
  virtual std::string describe() const = 0;
  /// Objects converted so far.
  virtual std::size_t count() const noexcept = 0;
};

}  // namespace moult::internal
