// Why: a conversion is to be undone like any other change, and the class it is about may be redefined with it.
//
// How: it can be undone in three ways, by when that is wanted. While objects are built: nothing has changed yet. Until
// the end of the stop: the old objects' bytes are put back. Later: by an inverse transformer, which makes an old value
// of each object of the new class that lives then, those included that were made since. The check builds all of them,
// as the inverse may throw; the undo puts them in place.
//
// The order, where the class is redefined as well. Its constructors and its destructor lead to the new class's then, in
// the update too, whose calls are bound to the program's functions. So whatever makes or destroys old values runs while
// they do not: the objects are converted first and the functions redirected after that; the old values are destroyed
// before the program is resumed, with the redirection lifted for as long; so is it while the check makes old values, or
// takes them back. Undo takes back the functions first, being the later step.
#include "redefine/object_change.hpp"

#include <utility>

#include "alterability/object_quiescence.hpp"
#include "base/direct_change.hpp"
#include "base/fault.hpp"
#include "data/eager_conversion.hpp"
#include "moult/error.hpp"
#include "redefine/class_change.hpp"
#include "redefine/redefine_class.hpp"

namespace moult::redefine {

using data::EagerConversion;
using data::Makes;

struct ObjectChange::State {
  explicit State(const detail::Conversion& wanted)
      : makes(wanted.pairing ? Makes::new_objects : Makes::old_objects),
        unwritten(wanted.unwritten),
        forward(wanted.forward, makes, unwritten),
        inverse(wanted.inverse),
        names{forward.old_class().readable, forward.new_class().readable} {}

  UndoStep undo_step(const std::shared_ptr<State>& self) const;
  void end(const threads::StoppedWorld& stopped) noexcept;
  void prepare_backward(const threads::StoppedWorld& stopped);
  void discard_backward(const threads::StoppedWorld& stopped) noexcept;
  void undo(const threads::StoppedWorld& stopped) noexcept;

  /// While the result lives, old values can be made and destroyed.
  FunctionChange::Lifted lift(const threads::StoppedWorld& stopped) const {
    return {is_redefined ? &classes->functions() : nullptr, stopped};
  }

  Makes makes;
  Unwritten unwritten;
  EagerConversion forward;
  std::shared_ptr<detail::ObjectConverter> inverse;
  std::unique_ptr<EagerConversion> backward;
  std::vector<std::string> names;
  std::optional<ClassChange> classes;
  bool is_redefined = false;
  bool has_ended = false;  ///< the stop in which the objects were converted is over
};

namespace {

std::string line_of(const std::vector<std::string>& names, std::optional<std::size_t> converted) {
  const std::string count = converted ? std::to_string(*converted) + " objects" : "objects";
  return (converted == 1 ? "an object" : count) + " of " + names[0] + " converted to " + names[1];
}

}  // namespace

void ObjectChange::State::end(const threads::StoppedWorld& stopped) noexcept {
  const FunctionChange::Lifted lifted = lift(stopped);
  forward.end_olds(stopped);
  has_ended = true;
}

void ObjectChange::State::prepare_backward(const threads::StoppedWorld& stopped) {
  if (inverse == nullptr)
    throw Error(ErrorCode::unsupported, names[0] + ": its objects were converted to " + names[1] +
                                            ", and no inverse transformer was given to convert them back");
  forward.require_current();
  alterability::ObjectQuiescence(names).require(stopped);
  MOULT_FAULT("redefine.objects.back");
  backward = std::make_unique<EagerConversion>(inverse, makes, unwritten);
  backward->reserve();
  const FunctionChange::Lifted lifted = lift(stopped);
  backward->build(stopped);
}

void ObjectChange::State::discard_backward(const threads::StoppedWorld& stopped) noexcept {
  if (!backward) return;
  const FunctionChange::Lifted lifted = lift(stopped);
  backward->discard();
}

void ObjectChange::State::undo(const threads::StoppedWorld& stopped) noexcept {
  if (!has_ended) return forward.put_back(stopped);
  backward->exchange(stopped);
  backward->end_olds(stopped);
}

UndoStep ObjectChange::State::undo_step(const std::shared_ptr<State>& self) const {
  UndoStep step;
  step.what = {line_of(names, forward.count())};
  step.check = [self] {
    if (!self->has_ended) return;
    const threads::StoppedWorld& stopped = *threads::current_stop();
    Transaction::current()->before_resume([self, &stopped] { self->discard_backward(stopped); });
    Transaction::current()->after_resume([self] {
      self->backward.reset();
      if (self->classes) self->classes->finish();
    });
    self->prepare_backward(stopped);
  };
  step.undo = [self] { self->undo(*threads::current_stop()); };
  return step;
}

ObjectChange ObjectChange::prepare(const detail::Conversion& conversion) {
  std::shared_ptr<State> state = std::make_shared<State>(conversion);
  state->forward.check();
  if (conversion.pairing)
    state->classes = ClassChange::prepare(request_for(*conversion.pairing, conversion.redefinition));
  state->forward.reserve();
  return ObjectChange(std::move(state));
}

ObjectChange ObjectChange::prepare_one(const detail::Conversion& conversion) {
  return ObjectChange(std::make_shared<State>(conversion));
}

ObjectChange::ObjectChange(std::shared_ptr<State> state) : state_(std::move(state)) {}
ObjectChange::ObjectChange(ObjectChange&&) noexcept = default;
ObjectChange& ObjectChange::operator=(ObjectChange&&) noexcept = default;
ObjectChange::~ObjectChange() = default;

const std::vector<std::string>& ObjectChange::class_names() const noexcept { return state_->names; }

std::span<const alterability::FunctionExtent> ObjectChange::old_functions() const noexcept {
  if (!state_->classes) return {};
  return state_->classes->old_functions();
}

std::span<const CodeRange> ObjectChange::keep_out() const noexcept {
  if (!state_->classes) return {};
  return state_->classes->keep_out();
}

void ObjectChange::carry_out(const threads::StoppedWorld& stopped, Transaction* transaction) {
  try {
    if (transaction != nullptr) {
      MOULT_FAULT("redefine.objects.record");
      transaction->before_resume([state = state_, &stopped] { state->end(stopped); });
      transaction->after_resume([state = state_] { state->forward.release(); });
      transaction->add(state_->undo_step(state_));
    }
  } catch (...) {
    state_->forward.discard();
    throw;
  }
  state_->forward.exchange(stopped);
  if (transaction == nullptr) state_->end(stopped);
  if (!state_->classes) return;
  state_->classes->commit(stopped, transaction);
  state_->is_redefined = true;
}

std::size_t ObjectChange::commit(const threads::StoppedWorld& stopped, Transaction* transaction) {
  if (state_->classes) state_->classes->require_clear(stopped);
  state_->forward.build(stopped);
  carry_out(stopped, transaction);
  return state_->forward.count();
}

bool ObjectChange::commit_one(const threads::StoppedWorld& stopped, Transaction* transaction, void* object) {
  if (!state_->forward.build_one(stopped, object)) return false;
  carry_out(stopped, transaction);
  return true;
}

std::vector<std::string> ObjectChange::lines(std::optional<std::size_t> converted) const {
  std::vector<std::string> lines{line_of(state_->names, converted)};
  if (state_->classes) lines.insert(lines.end(), state_->classes->lines().begin(), state_->classes->lines().end());
  return lines;
}

void ObjectChange::finish() noexcept {
  state_->forward.release();
  if (state_->classes) state_->classes->finish();
}

}  // namespace moult::redefine

namespace moult::detail {

std::size_t convert_objects(const Conversion& conversion) {
  redefine::ObjectChange change = redefine::ObjectChange::prepare(conversion);
  std::optional<std::size_t> count;
  const auto make = [&] {
    threads::in_stopped_world(
        {.timeout = std::chrono::seconds(1), .keep_out = change.keep_out()},
        [&](const threads::StoppedWorld& stopped) { count = change.commit(stopped, Transaction::current()); });
    if (Transaction::current() == nullptr) change.finish();
  };
  change_directly(make, [&] { return change.lines(count); });
  return count.value_or(0);
}

bool convert_object(const Conversion& conversion, void* object) {
  redefine::ObjectChange change = redefine::ObjectChange::prepare_one(conversion);
  std::optional<bool> is_converted;
  const auto make = [&] {
    threads::in_stopped_world({.timeout = std::chrono::seconds(1), .keep_out = {}},
                              [&](const threads::StoppedWorld& stopped) {
                                is_converted = change.commit_one(stopped, Transaction::current(), object);
                              });
    if (Transaction::current() == nullptr) change.finish();
  };
  change_directly(make, [&] { return is_converted.value_or(true) ? change.lines(1) : std::vector<std::string>(); });
  return is_converted.value_or(false);
}

}  // namespace moult::detail
