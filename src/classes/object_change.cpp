// Why: a conversion is to be undone like any other change, and the class it is about may be redefined with it.
//
// How: it can be undone in three ways, by when that is wanted. While objects are built: nothing has changed yet. Until
// the end of the stop: the old objects' bytes are put back. Later: by an inverse transformer, which makes an old value
// of each object of the new class that lives then, those included that were made since; all in one stop, whenever they
// were converted. The check builds all of them, as the inverse may throw; the undo puts them in place.
//
// The order, where the class is redefined as well. Its constructors and its destructor lead to the new class's then, in
// the update too, whose calls are bound to the program's functions. So whatever makes or destroys old values runs while
// they do not: the objects are converted first and the functions redirected after that; the old values are destroyed
// before the program is resumed, with the redirection bypassed for as long; so is it while the check makes old values,
// or takes them back. Undo takes back the functions first, being the later step. Conversions at first use go on beside
// the program, where nothing can be bypassed: old values end by old_destructor.hpp then.
//
// The same classes may be converted twice, as by an update that is sent again: what the first made of them is what the
// second finds. Whichever of the two is taken back first leaves the objects as they are, for the other's code goes on.
#include "classes/object_change.hpp"

#include <algorithm>
#include <utility>

#include "alterability/object_quiescence.hpp"
#include "base/fault.hpp"
#include "base/guarded.hpp"
#include "base/untracked_change.hpp"
#include "base/warning.hpp"
#include "classes/class_change.hpp"
#include "classes/redefine_class.hpp"
#include "convert/conversion_plan.hpp"
#include "convert/eager_conversion.hpp"
#include "convert/lazy_conversion.hpp"
#include "convert/progressive_access.hpp"
#include "moult/error.hpp"
#include "pools/class_pools.hpp"
#include "threads/current_stop.hpp"

namespace moult::internal {

namespace {

/// Throws Error (invalid_argument) when both classes have one name.
std::shared_ptr<EagerConversion> make_eager(const detail::ConversionRequest& wanted, Makes makes) {
  auto made = std::make_shared<EagerConversion>(wanted.forward, makes, wanted.unwritten, wanted.transformers);
  require_two_classes({made->old_class(), made->new_class(), wanted.forward->new_kind(), makes});
  return made;
}

/// Code that is to run before the first access to an object runs before its conversion.
void finish_accesses(const ObjectClass& old_class) {
  const StoppedWorld* const stopped = internal::current_stop();
  stopped != nullptr ? finish_progressive_accesses(old_class, *stopped) : finish_progressive_accesses(old_class);
}

/// An edit is about the objects that the program's own code makes.
void require_own_objects(const ObjectClass& pools) {
  for (const ClassPools* each : all_class_pools())
    if (&each->object_class == &pools)
      each->for_each([&](const Pool& pool) {
        const Contents& contents = pool.contents();
        const bool has_others = contents.usual != &pools || contents.other != nullptr;
        const ObjectClass* const other = contents.usual != &pools ? contents.usual : contents.other;
        if (has_others)
          throw Error(ErrorCode::unsupported, pools.name.text() + ": objects of it are of " + other->name.text() +
                                                  " by now; roll back the update that converted them first");
      });
}

std::shared_ptr<LazyConversion> make_lazy(const detail::ConversionRequest& wanted, Makes makes) {
  return std::make_shared<LazyConversion>(
      wanted.forward,
      LazyConversion::Options{.makes = makes,
                              .unwritten = wanted.unwritten,
                              .untouched = wanted.lazily->untouched,
                              .manner = wanted.lazily->may_move ? Manner::evacuated : Manner::in_place});
}

}  // namespace

struct ObjectChange::State {
  explicit State(const detail::ConversionRequest& wanted)
      : makes(wanted.pairing ? Makes::new_objects : Makes::old_objects),
        unwritten(wanted.unwritten),
        transformers(wanted.transformers),
        inverse(wanted.inverse) {}

  void convert_by(std::shared_ptr<Conversion> conversion);
  /// An edit gives the class another layout, under its own name.
  bool is_edit() const { return names[0] == names[1]; }
  UndoStep undo_step(const std::shared_ptr<State>& self) const;
  void end(const StoppedWorld& stopped) noexcept;
  void look_back();
  void prepare_backward(const StoppedWorld& stopped);
  void discard_backward(const StoppedWorld& stopped) noexcept;
  void undo(const StoppedWorld& stopped) noexcept;

  /// Another conversion of all objects of the class to the same other class is active.
  bool has_twin() const;

  /// While the result lives, old values can be made and destroyed.
  FunctionChange::Bypassed bypass(const StoppedWorld& stopped) const {
    return {is_redefined ? &classes->functions() : nullptr, stopped};
  }

  Makes makes;
  Unwritten unwritten;
  Transformers transformers;
  std::shared_ptr<Conversion> forward;
  std::shared_ptr<EagerConversion> eager;  ///< forward, if it is one
  std::shared_ptr<LazyConversion> lazy;    ///< forward, if it is one
  std::shared_ptr<detail::ObjectConverter> inverse;
  std::optional<ObjectQuiescence> quiescence;  ///< for the way back
  std::unique_ptr<EagerConversion> backward;
  std::vector<ClassName> names;
  std::optional<ClassChange> classes;
  std::string no_way_back;             ///< of an edit
  const ObjectClass* pools = nullptr;  ///< likewise: the class in whose pools the objects are
  bool is_redefined = false;
  bool has_ended = false;  ///< the stop in which the objects were converted is over
  bool is_taken_back = false;

  using All = std::vector<std::weak_ptr<const State>>;
  /// Those of whole classes.
  static Guarded<All>& all() {
    static Guarded<All>& only = *new Guarded<All>();
    return only;
  }
};

namespace {

std::string line_of(const std::vector<ClassName>& names, std::optional<std::size_t> converted) {
  const std::string count = converted ? std::to_string(*converted) + " objects" : "objects";
  const std::string objects = (converted == 1 ? "an object" : count) + " of " + names[0].text();
  return objects + (names[0] == names[1] ? " given the new layout" : " converted to " + names[1].text());
}

}  // namespace

void ObjectChange::State::convert_by(std::shared_ptr<Conversion> conversion) {
  names = {conversion->old_class().name, conversion->new_class().name};
  forward = std::move(conversion);
}

bool ObjectChange::State::has_twin() const {
  if (is_edit()) return false;
  return all().with([this](const All& changes) {
    return std::any_of(changes.begin(), changes.end(), [this](const std::weak_ptr<const State>& each) {
      const std::shared_ptr<const State> other = each.lock();
      return other != nullptr && other.get() != this && other->has_ended && !other->is_taken_back &&
             other->names == names;
    });
  });
}

void ObjectChange::State::end(const StoppedWorld& stopped) noexcept {
  const FunctionChange::Bypassed bypassed = bypass(stopped);
  forward->end_olds(stopped);
  has_ended = true;
}

/// Reads debug information: ahead of the stop, if that can be.
void ObjectChange::State::look_back() {
  if (!has_ended) return;
  if (inverse == nullptr && is_edit())
    throw Error(ErrorCode::unsupported, names[0].text() + ": its objects have another layout, and " + no_way_back);
  if (inverse == nullptr)
    throw Error(ErrorCode::unsupported, names[0].text() + ": its objects were converted to " + names[1].text() +
                                            ", and no inverse transformer was given to convert them back");
  if (quiescence && quiescence->is_current()) return;
  if (is_edit())
    quiescence.emplace(ObjectQuiescence::of_pools({pools->name}, {}));
  else
    quiescence.emplace(names);
}

void ObjectChange::State::prepare_backward(const StoppedWorld& stopped) {
  look_back();
  if (pools == nullptr)
    forward->require_current();
  else
    require_own_objects(*pools);
  quiescence->require(stopped);
  MOULT_FAULT("classes.objects.back");
  const ObjectClass& converted = pools != nullptr ? *pools : forward->new_class();
  finish_progressive_accesses(converted, stopped);
  finish_lazy_conversions(converted, stopped);
  if (has_twin()) return;
  backward = std::make_unique<EagerConversion>(inverse, makes, unwritten, transformers, pools);
  backward->reserve();
  const FunctionChange::Bypassed bypassed = bypass(stopped);
  backward->build(stopped);
}

void ObjectChange::State::discard_backward(const StoppedWorld& stopped) noexcept {
  if (!backward) return;
  const FunctionChange::Bypassed bypassed = bypass(stopped);
  backward->discard();
}

void ObjectChange::State::undo(const StoppedWorld& stopped) noexcept {
  is_taken_back = true;
  if (!has_ended) return forward->put_back(stopped);
  if (!backward) return;
  backward->exchange(stopped);
  backward->end_olds(stopped);
}

UndoStep ObjectChange::State::undo_step(const std::shared_ptr<State>& self) const {
  UndoStep step;
  step.what = {forward->describe()};
  step.prepare = [self] { self->look_back(); };
  step.check = [self] {
    if (!self->has_ended) return;
    const StoppedWorld& stopped = *internal::current_stop();
    Transaction::current()->before_resume([self, &stopped] { self->discard_backward(stopped); });
    Transaction::current()->after_resume([self] {
      self->backward.reset();
      if (self->classes) self->classes->finish();
    });
    self->prepare_backward(stopped);
  };
  step.undo = [self] { self->undo(*internal::current_stop()); };
  return step;
}

namespace {

/// What is asked of the class's functions must not go unheeded.
void require_no_redefinition(const detail::ConversionRequest& conversion, const ObjectClass& converted) {
  const ClassRedefinition& asked = conversion.redefinition;
  if (asked.also.empty() && asked.unmatched == UnmatchedMembers::refused) return;
  throw Error(ErrorCode::invalid_argument,
              converted.name.text() +
                  ": the options say how to redefine the class (.redefinition), but not to redefine it; "
                  "add .rebind = moult::Rebind::yes, or leave .redefinition out");
}

}  // namespace

ObjectChange ObjectChange::prepare(const detail::ConversionRequest& conversion) {
  std::shared_ptr<State> state = std::make_shared<State>(conversion);
  if (conversion.lazily)
    state->convert_by(state->lazy = make_lazy(conversion, state->makes));
  else
    state->convert_by(state->eager = make_eager(conversion, state->makes));
  finish_accesses(state->forward->old_class());
  finish_lazy_conversions(state->forward->old_class());
  for (const ClassPools* each : all_class_pools())
    if (each->own.portion_of(state->forward->old_class()))
      inherit_slot_size(state->forward->new_class(), each->own.shape().slot_size());
  state->forward->check();
  if (!conversion.pairing) {
    require_no_redefinition(conversion, state->forward->old_class());
  } else {
    ClassRequest request = request_for(*conversion.pairing, conversion.redefinition);
    request.objects = ClassRequest::Objects::converted;
    request.ends_later = conversion.lazily && conversion.forward->ends_olds();
    state->classes = ClassChange::prepare(request);
    conversion.forward->destroy_olds_by(state->classes->old_destructor());
  }
  state->forward->reserve();
  return ObjectChange(std::move(state));
}

ObjectChange ObjectChange::prepare_edit(const EditedClass& edited, EditedConverter::Direction direction) {
  using enum EditedConverter::Direction;
  const bool is_forward = direction == forward;
  detail::ConversionRequest request;
  request.forward = std::make_shared<EditedConverter>(edited, direction);
  if (!is_forward || edited.no_way_back == nullptr)
    request.inverse = std::make_shared<EditedConverter>(edited, is_forward ? backward : forward);
  std::shared_ptr<State> state = std::make_shared<State>(request);
  state->makes = Makes::new_objects;
  if (edited.no_way_back != nullptr) state->no_way_back = edited.no_way_back;
  state->pools = &object_class_of(*edited.pool);
  state->eager = std::make_shared<EagerConversion>(request.forward, state->makes, state->unwritten, state->transformers,
                                                   state->pools);
  state->convert_by(state->eager);
  finish_accesses(*state->pools);
  finish_lazy_conversions(*state->pools);
  require_own_objects(*state->pools);
  state->forward->check();
  state->forward->reserve();
  return ObjectChange(std::move(state));
}

ObjectChange ObjectChange::prepare_one(const detail::ConversionRequest& conversion) {
  std::shared_ptr<State> state = std::make_shared<State>(conversion);
  state->convert_by(state->eager = make_eager(conversion, state->makes));
  finish_lazy_conversions(state->forward->old_class());
  return ObjectChange(std::move(state));
}

ObjectChange::ObjectChange(std::shared_ptr<State> state) : state_(std::move(state)) {}
ObjectChange::ObjectChange(ObjectChange&&) noexcept = default;
ObjectChange& ObjectChange::operator=(ObjectChange&&) noexcept = default;
ObjectChange::~ObjectChange() = default;

const std::vector<ClassName>& ObjectChange::class_names() const noexcept { return state_->names; }

std::span<const FunctionExtent> ObjectChange::old_functions() const noexcept {
  if (!state_->classes) return {};
  return state_->classes->old_functions();
}

std::span<const CodeRange> ObjectChange::keep_out() const noexcept {
  if (!state_->classes) return {};
  return state_->classes->keep_out();
}

void ObjectChange::carry_out(const StoppedWorld& stopped, Transaction* transaction) {
  try {
    if (transaction != nullptr) {
      MOULT_FAULT("classes.objects.record");
      transaction->before_resume([state = state_, &stopped] { state->end(stopped); });
      transaction->after_resume([state = state_] { state->forward->go_on(); });
      transaction->add(state_->undo_step(state_));
    }
  } catch (...) {
    state_->forward->discard();
    throw;
  }
  state_->forward->exchange(stopped);
  if (transaction == nullptr) state_->end(stopped);
  if (!state_->classes) return;
  state_->classes->commit(stopped, transaction);
  state_->is_redefined = true;
}

std::size_t ObjectChange::commit(const StoppedWorld& stopped, Transaction* transaction) {
  if (state_->classes) state_->classes->require_clear(stopped);
  const ObjectClass& converted = state_->pools != nullptr ? *state_->pools : state_->forward->old_class();
  finish_progressive_accesses(converted, stopped);
  finish_lazy_conversions(converted, stopped);
  if (state_->pools != nullptr) require_own_objects(*state_->pools);
  state_->forward->build(stopped);
  State::all().with([this](State::All& changes) {
    std::erase_if(changes, [](const std::weak_ptr<const State>& each) { return each.expired(); });
    changes.push_back(state_);
  });
  carry_out(stopped, transaction);
  if (state_->lazy != nullptr && !state_->lazy->serves_kernel())
    warn(state_->names[0].text() +
         ": a system call that is given the address of an object which was not used yet fails with "
         "EFAULT, as this system grants userfaultfd for the program's own accesses only; allow it "
         "(vm.unprivileged_userfaultfd=1 or CAP_SYS_PTRACE), or convert eagerly");
  return state_->forward->count();
}

bool ObjectChange::commit_one(const StoppedWorld& stopped, Transaction* transaction, void* object) {
  finish_lazy_conversions(state_->forward->old_class(), stopped);
  if (!state_->eager->build_one(stopped, object)) return false;
  carry_out(stopped, transaction);
  return true;
}

std::vector<std::string> ObjectChange::lines(std::optional<std::size_t> converted) const {
  std::vector<std::string> lines{line_of(state_->names, converted)};
  if (state_->classes) lines.insert(lines.end(), state_->classes->lines().begin(), state_->classes->lines().end());
  return lines;
}

void ObjectChange::finish() noexcept {
  state_->forward->go_on();
  if (state_->classes) state_->classes->finish();
}

LazyObjects ObjectChange::objects() const noexcept { return LazyObjects(state_->lazy); }

}  // namespace moult::internal

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

std::size_t convert_objects(const ConversionRequest& conversion) {
  internal::ObjectChange change = internal::ObjectChange::prepare(conversion);
  std::optional<std::size_t> count;
  const auto make = [&] {
    internal::in_stopped_world({.timeout = std::chrono::seconds(1), .keep_out = change.keep_out()},
                               [&](const internal::StoppedWorld& stopped) {
                                 count = change.commit(stopped, internal::Transaction::current());
                               });
    if (internal::Transaction::current() == nullptr) change.finish();
  };
  internal::change_untracked(make, [&] { return change.lines(count); });
  return count.value_or(0);
}

LazyObjects convert_objects_lazily(const ConversionRequest& conversion) {
  internal::ObjectChange change = internal::ObjectChange::prepare(conversion);
  const auto make = [&] {
    internal::in_stopped_world(
        {.timeout = std::chrono::seconds(1), .keep_out = change.keep_out()},
        [&](const internal::StoppedWorld& stopped) { change.commit(stopped, internal::Transaction::current()); });
    if (internal::Transaction::current() == nullptr) change.finish();
  };
  internal::change_untracked(make, [&] { return change.lines(std::nullopt); });
  return change.objects();
}

bool convert_object(const ConversionRequest& conversion, void* object) {
  internal::ObjectChange change = internal::ObjectChange::prepare_one(conversion);
  std::optional<bool> is_converted;
  const auto make = [&] {
    internal::in_stopped_world({.timeout = std::chrono::seconds(1), .keep_out = {}},
                               [&](const internal::StoppedWorld& stopped) {
                                 is_converted = change.commit_one(stopped, internal::Transaction::current(), object);
                               });
    if (internal::Transaction::current() == nullptr) change.finish();
  };
  internal::change_untracked(
      make, [&] { return is_converted.value_or(true) ? change.lines(1) : std::vector<std::string>(); });
  return is_converted.value_or(false);
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
