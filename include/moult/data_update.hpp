// Classes and objects that change: redefine_class, and conversion of objects to another class.
//
//   moult::redefine_class<app::Data, Data_v2>();                            // in apply: code
//
//   moult::start_eager_update<app::Data, Data_v2>(                          // in apply: objects
//       [](const app::Data& old) { return Data_v2(old.number); });
//
//   moult::EagerConversionUpdate<app::Data, Data_v2> update("data", convert, {.rebind = moult::Rebind::yes});
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

/// The treatment of member functions of the old class that cannot be redirected.
enum class UnmatchedMembers {
  refused,  ///< the class is not redefined, and the error lists them
  /// They stay: functions that the new class lacks or has with other parameters, and copies of functions in their
  /// callers. A warning in the log names each. Choose it when the old version may run beside the new one.
  kept,
};

struct ClassRedefinition {
  /// Functions to redefine together with the class: the ones that use it, when its layout changes.
  std::vector<Redefinition> also{};
  UnmatchedMembers unmatched = UnmatchedMembers::refused;
};

/// From now on the class `Old` of the program behaves as `New` of the update. Constructors, destructor, methods,
/// operators and static member functions are redirected together, each to the function of the same name and signature.
/// So code that is not replaced makes objects of the new class too, with its vtable. Calls in progress go on in the old
/// version. Existing objects are not converted: New's functions are called for them as they are.
///
/// New must not derive from Old, and must have the layout of Old, with new fields (if any) behind the old ones. Objects
/// of classes with a pool may grow up to their slot (Updatable's reserve). New's functions need code of their own in
/// the update. `moult apply` and `moult build` see to that. In an update built otherwise, define them outside of the
/// class, or mark them MOULT_UPDATABLE. With any other layout, redefine every
/// function of the program that uses Old in the same call (ClassRedefinition::also).
///
/// Called from a step of an update, the change belongs to that update: it is undone with it and can be rolled back. In
/// a stopped program it needs no stop of its own; elsewhere it makes one. It reads the program's debug information,
/// which takes seconds for a big program. In a stop it is then refused: prepare_redefinition reads in prepare. Throws
/// with all reasons, before anything is changed. After Pymoult's redefine_class.
///
/// unsupported: called in a stop, with more debug information to read than a stop permits
/// layout_mismatch: the message shows the differences and the functions that stay
/// not_found, signature_mismatch, inlined, ambiguous: a function cannot be matched
/// too_short, unsupported_code, no_room: an entry cannot be patched
/// invalid_argument: the two classes cannot be a pair
/// thread_unstoppable: a thread did not reach a safepoint in time
template <class Old, class New>
void redefine_class(const ClassRedefinition& options = {}) {
  detail::redefine_class(detail::class_pairing<Old, New>(), options);
}

/// Reads and checks what redefine_class needs, and changes nothing. Call it in prepare; in apply, `make` makes the
/// change. Errors as redefine_class.
///
///   void prepare() override { change_ = moult::prepare_redefinition<app::Data, Data_v2>({.also = {{sum, sum_v2}}}); }
///   void apply() override { change_.make(); }
///   moult::PreparedRedefinition change_;
template <class Old, class New>
PreparedRedefinition prepare_redefinition(const ClassRedefinition& options = {}) {
  return PreparedRedefinition(detail::prepare_class(detail::class_pairing<Old, New>(), options));
}

/// The class of the objects that code makes after a conversion, where that code is not replaced.
enum class Rebind {
  no,   ///< the old class, in the same pool; moult tells the two apart
  yes,  ///< the new class: it is redefined in the same step, as redefine_class does
};

/// The treatment of live objects whose first and last eight bytes were not written since `new`: their constructor may
/// not have begun. An update waits in any case while a thread holds the address of one.
enum class Unwritten {
  refused,  ///< nothing is converted, and the error names one
  /// They are objects: their class's constructors leave those bytes alone. Not for a program that can suspend a
  /// coroutine in the arguments of a `new` of the class.
  converted,
};

/// How many threads run the transformers of a conversion in one stop.
enum class Transformers {
  one_at_a_time,  ///< only the update's own thread
  /// One for each processor, each with different objects; worth it from some ten thousand objects on. For transformers
  /// that write only to what they return, and call nothing of moult that stops the program.
  concurrent,
};

/// The options of a conversion.
template <class Old, class New>
struct ConversionOptions {
  Rebind rebind = Rebind::no;
  Unwritten unwritten = Unwritten::refused;
  ClassRedefinition redefinition{};                         ///< with Rebind::yes; without it the update is refused
  Transformers transformers = Transformers::one_at_a_time;  ///< applies to the inverse transformer, too
  /// Makes an old object from a new one, so that the update can be rolled back after the program has run on. Without it
  /// such a rollback is refused. While it runs, calls reach Old's own functions, with Rebind::yes too. Where another
  /// applied update has redefined the class in the same way, objects stay as they are until that update is rolled back
  /// as well.
  std::function<Old(const New&)> inverse{};
};

class LazyObjects;
enum class Untouched;

namespace detail::inline MOULT_ABI_NAMESPACE {

/// The options of conversion at first use (lazy_update.hpp).
struct Lazily {
  bool may_move = false;  ///< byte by byte, objects of both classes
  Untouched untouched{};
};

/// A conversion without its types.
struct ConversionRequest {
  std::shared_ptr<ObjectConverter> forward;
  std::shared_ptr<ObjectConverter> inverse;  ///< null when there is no way back
  std::optional<ClassPairing> pairing;       ///< to redefine the class as well
  ClassRedefinition redefinition;
  Unwritten unwritten = Unwritten::refused;
  std::optional<Lazily> lazily;
  Transformers transformers = Transformers::one_at_a_time;
};

/// Converts in the stop that the current transaction holds, or in one of its own.
std::size_t convert_objects(const ConversionRequest& conversion);
LazyObjects convert_objects_lazily(const ConversionRequest& conversion);
bool convert_object(const ConversionRequest& conversion, void* object);

/// In pools of its own, or of a base.
template <class T>
concept is_deleted_in_pools = has_own_pool<T> || requires(const T* object) {
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
  if (options.rebind == Rebind::yes) conversion.pairing = class_pairing<Old, New>();
  conversion.redefinition = options.redefinition;
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

/// Converts every live object of class `Old` that lies in a pool to class `New`, in place: all pointers to it stay
/// valid. Returns the number of converted objects. Objects of subclasses stay as they are. A New with a virtual
/// destructor must derive from Updatable too.
///
/// The transformer is `New(const Old&)`, or `void(const Old&, New&)`, which fills a value-initialised New. It runs for
/// each object, in the stopped program: it may allocate, but must not wait for another thread, nor make or delete
/// objects of the class. When it throws, nothing has changed.
///
/// Call it from an update's apply, in a stop in which no member function of Old is active in any thread. Elsewhere it
/// makes a stop of its own, and the caller answers for that condition. The conversion belongs to the update: undone
/// with it, every object has its old bytes again. Once the program has gone on, only the inverse transformer leads
/// back. The old values are destroyed at the end of the stop.
///
/// Without Rebind::yes, code that is not replaced goes on making objects of class Old in the same pool, and uses New's
/// objects as if they were Old's. So a pool holds no third class beside the two, New's fields stand behind Old's, and
/// such code runs only Old's destructor unless it is virtual.
///
/// Passes on what the transformer throws; also throws std::bad_alloc, and as redefine_class does.
///
/// layout_mismatch: a New does not fit its slot; give the class a reserve
/// still_active: a thread may be about to construct an object
/// unsupported: a third class, or an object without a written byte (see Unwritten)
/// thread_unstoppable: a thread did not reach a safepoint in time
///
/// After Pymoult's start_eager_update, and Jvolve (Subramanian, Hicks and McKinley, PLDI 2009), which converts all
/// objects in one stop.
template <class Old, class New, detail::transformer_of<Old, New> Transformer>
std::size_t start_eager_update(Transformer&& transformer, const ConversionOptions<Old, New>& options = {}) {
  return detail::convert_objects(detail::make_conversion<Old, New>(std::forward<Transformer>(transformer), options));
}

/// The same for one object. Returns false, having done nothing, when `object` is not of class Old itself in a pool: on
/// the stack, of a subclass, or already converted. After Pymoult's update_to_class.
template <class Old, class New, detail::transformer_of<Old, New> Transformer>
bool update_to_class(Old& object, Transformer&& transformer) {
  return detail::convert_object(
      detail::make_conversion<Old, New>(std::forward<Transformer>(transformer), ConversionOptions<Old, New>{}),
      std::addressof(object));
}

/// start_eager_update as an update. prepare makes every check that can refuse, and takes the memory for the new values.
/// Alterable when no thread is in a member function of Old, is about to construct an object, or has destroyed an object
/// and not yet released its slot. Roll it back with the inverse transformer, when nothing of New is active.
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
