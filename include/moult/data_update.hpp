// Classes and objects that change: redefine_class, conversion of objects to another class.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "moult/data_access.hpp"
#include "moult/detail/class_redefinition.hpp"
#include "moult/detail/conversion.hpp"
#include "moult/error.hpp"
#include "moult/update.hpp"
#include "moult/updates.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// What becomes of member functions of the old class that cannot be redirected.
enum class UnmatchedMembers {
  refused,  ///< the class is not redefined, and the error lists them
  /// They stay as they are: functions that the new class lacks, or has with other parameters, and copies of functions
  /// in their callers. A warning in the log names each. To be chosen where the old version may go on beside the new
  /// one.
  kept,
};

struct ClassRedefinition {
  /// Functions to redefine in the same go: those that use the class, where its layout changes.
  std::vector<Redefinition> also{};
  UnmatchedMembers unmatched = UnmatchedMembers::refused;
};

/// From now on the class `Old` of the program behaves as `New` of the update: constructors, destructor, methods,
/// operators and static member functions are redirected together, each to the one of the same name and signature, so
/// that also code which is not replaced makes objects of the new class, with its vtable. Calls in progress go on in the
/// old version. Objects that exist are not converted: New's functions are called for them as they are.
///
/// What New must be: a class that does not derive from Old, laid out as Old, with new fields (if any) behind the old
/// ones; objects of classes with a pool may grow up to their slot (Updatable's reserve). Its functions need code of
/// their own in the update: define them outside of the class, or mark them MOULT_UPDATABLE. With any other layout every
/// function of the program that uses Old must be redefined with it (ClassRedefinition::also).
///
/// Called from a step of an update it belongs to that update: it is undone with it and can be rolled back; in a stopped
/// program it needs no stop of its own, elsewhere it stops the program for the change. It reads the program's debug
/// information, which takes seconds for a big one.
///
/// Throws Error, with all reasons, before anything is touched: layout_mismatch (with the differences and the functions
/// that stay), not_found, signature_mismatch, inlined, ambiguous, too_short, unsupported_code, no_room,
/// invalid_argument; thread_unstoppable. After Pymoult's redefine_class.
template <class Old, class New>
void redefine_class(const ClassRedefinition& options = {}) {
  detail::redefine_class(detail::class_pairing<Old, New>(), options);
}

/// What code that is not replaced makes after a conversion.
enum class Rebind {
  no,   ///< objects of the old class, in the same pool; the two are told apart
  yes,  ///< objects of the new class: the class is redefined in the same step, as redefine_class does
};

/// What becomes of live objects of which neither the first nor the last eight bytes were written since `new`, so that
/// their constructor may not have begun. Where a thread has the address of one an update waits in any case.
enum class Unwritten {
  refused,  ///< nothing is converted, and the error names one
  /// They are objects: their class's constructors leave those bytes alone. Not for a program in which a coroutine can
  /// be suspended in the arguments of a `new` of the class.
  converted,
};

/// How many threads run the transformers of a conversion in one stop.
enum class Transformers {
  one_at_a_time,  ///< one, that of the update
  /// As many as there are processors, for different objects at once; for some ten thousand objects and more. For those
  /// that write to nothing but what they return, and call nothing of moult that stops the program.
  concurrent,
};

/// What a conversion of objects is told besides its transformer.
template <class Old, class New>
struct ConversionOptions {
  Rebind rebind = Rebind::no;
  Unwritten unwritten = Unwritten::refused;
  ClassRedefinition redefinition{};                         ///< with Rebind::yes
  Transformers transformers = Transformers::one_at_a_time;  ///< the inverse one, too
  /// Makes an old object of a new one again, so that the update can be rolled back when the program has run on; without
  /// it that is refused. While it runs, functions of Old are its own again, with Rebind::yes too. Where another update
  /// in force has made the same of the class, objects stay as they are until that is rolled back as well.
  std::function<Old(const New&)> inverse{};
};

class LazyObjects;
enum class Untouched;

namespace detail::inline MOULT_ABI_NAMESPACE {

/// What conversion at first use is told besides (lazy_update.hpp).
struct Lazily {
  bool may_move = false;  ///< objects of both classes, byte by byte
  Untouched untouched{};
};

/// A conversion without the types.
struct ConversionRequest {
  std::shared_ptr<ObjectConverter> forward;
  std::shared_ptr<ObjectConverter> inverse;  ///< null when there is no way back
  std::optional<ClassPairing> pairing;       ///< to redefine the class as well
  ClassRedefinition redefinition;
  Unwritten unwritten = Unwritten::refused;
  std::optional<Lazily> lazily;
  Transformers transformers = Transformers::one_at_a_time;
};

/// Convert in the stop that the current transaction holds, or in one of their own.
std::size_t convert_objects(const ConversionRequest& conversion);
LazyObjects convert_objects_lazily(const ConversionRequest& conversion);
bool convert_object(const ConversionRequest& conversion, void* object);

template <class T>
concept is_deleted_in_pools = requires(const T* object) {
  module_pool(object);
};

template <class Old, class New, class Transformer>
[[gnu::visibility("hidden")]] ConversionRequest make_conversion(Transformer&& transformer,
                                                         const ConversionOptions<Old, New>& options) {
  static_assert(!std::has_virtual_destructor_v<New> || is_deleted_in_pools<New>,
                "with a virtual destructor objects are deleted by the new class's own operator: derive it from "
                "moult::Updatable too");
  if constexpr (has_own_pool<Old>) decltype(module_pool<Old>(static_cast<const Old*>(nullptr)))::get();
  ConversionRequest conversion{make_converter<Old, New>(std::forward<Transformer>(transformer)),
                        nullptr,
                        std::nullopt,
                        {},
                        options.unwritten,
                        std::nullopt,
                        options.transformers};
  if (options.rebind == Rebind::yes) {
    conversion.pairing = class_pairing<Old, New>();
    conversion.redefinition = options.redefinition;
  }
  if (!options.inverse) return conversion;
  if constexpr (std::is_nothrow_move_constructible_v<Old>)
    conversion.inverse = make_converter<New, Old>(options.inverse);
  else
    throw Error(ErrorCode::invalid_argument,
                "an inverse transformer needs an old class whose move constructor is noexcept");
  return conversion;
}

class ConversionUpdate : public Update {
 public:
  ~ConversionUpdate() override;

  void prepare() override;
  bool wait_alterability() override;
  bool check_alterability() override;
  void apply() override;

  /// How many objects were converted so far; 0 before apply.
  std::size_t converted() const noexcept;

 protected:
  LazyObjects lazy_objects() const noexcept;
  ConversionUpdate(std::string name, ConversionRequest conversion, std::vector<ThreadId> threads);

 private:
  class [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// Converts every live object of class `Old` that lies in a pool to class `New`, where it is: all pointers to it stay
/// good. Returns how many there were. A New with a virtual destructor derives from Updatable too. Objects of subclasses
/// are left alone.
///
/// The transformer is `New(const Old&)`, or `void(const Old&, New&)`, which fills a New that was value-initialised. It
/// runs for each object, in a stopped program: it may allocate and must not wait for another thread. When it throws,
/// nothing has changed. It must not make or delete objects of the class itself.
///
/// Called from apply of an update, in a stop in which no member function of Old is active in any thread; elsewhere it
/// makes a stop of its own and the caller answers for that. It belongs to the update: undone with it, every object is
/// again what it was, byte by byte; once the program has gone on, only the inverse transformer leads back. The old
/// values are destroyed at the end of the stop. Unless told to rebind, code that is not replaced goes on making objects
/// of class Old in the same pool, and using New's as if they were Old's: a pool holds no third class beside the two,
/// New's fields stand behind Old's, and Old's destructor is all that such code runs unless it is virtual.
///
/// Throws what the transformer throws; Error: layout_mismatch (a New does not fit its slot: give the class a reserve),
/// still_active (a thread may be about to construct an object), unsupported (a third class; an object to which nothing
/// was written yet, see Unwritten), thread_unstoppable, and as redefine_class does; std::bad_alloc. After Pymoult's
/// start_eager_update, and Jvolve's (Subramanian, Hicks and McKinley, PLDI 2009) conversion of all objects in one stop.
template <class Old, class New, detail::transformer_of<Old, New> Transformer>
std::size_t start_eager_update(Transformer&& transformer, const ConversionOptions<Old, New>& options = {}) {
  return detail::convert_objects(detail::make_conversion<Old, New>(std::forward<Transformer>(transformer), options));
}

/// The same for one object. False, and nothing done, when `object` is not one of class Old itself in a pool: on the
/// stack, of a subclass, converted already. After Pymoult's update_to_class.
template <class Old, class New, detail::transformer_of<Old, New> Transformer>
bool update_to_class(Old& object, Transformer&& transformer) {
  return detail::convert_object(
      detail::make_conversion<Old, New>(std::forward<Transformer>(transformer), ConversionOptions<Old, New>{}),
      std::addressof(object));
}

/// start_eager_update as an update of its own. What can be refused is refused in prepare, and memory for the new values
/// is taken there. Alterable when no member function of Old is active in any thread, and none is about to construct an
/// object or to give the slot of one back that it has destroyed. Roll it back with the inverse transformer: then
/// nothing of New may be active.
template <class Old, class New>
class EagerConversionUpdate : public detail::ConversionUpdate {
 public:
  /// `threads` matters to steps that a subclass overrides; objects belong to all threads.
  template <detail::transformer_of<Old, New> Transformer>
  EagerConversionUpdate(std::string name, Transformer&& transformer, const ConversionOptions<Old, New>& options = {},
                        std::vector<ThreadId> threads = {})
      : ConversionUpdate(std::move(name),
                         detail::make_conversion<Old, New>(std::forward<Transformer>(transformer), options),
                         std::move(threads)) {}
};

}  // namespace moult
#pragma GCC visibility pop
