#include <chrono>
#include <optional>

#include "alterability/object_quiescence.hpp"
#include "base/fault.hpp"
#include "classes/object_change.hpp"
#include "moult/data_update.hpp"
#include "moult/error.hpp"
#include "moult/lazy_update.hpp"
#include "symbols/program.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

class ConversionUpdate::Impl final {
 public:
  explicit Impl(ConversionRequest conversion) : conversion_(std::move(conversion)) {}

  void prepare() {
    const internal::SharedReading reading;
    change_ = internal::ObjectChange::prepare(conversion_);
    quiescence_.emplace(change_->class_names(), change_->old_functions());
  }

  bool check(const Patience& patience) { return note(quiescence_->check(patience)); }
  bool wait(const Patience& patience) { return note(quiescence_->wait(patience)); }
  bool note(bool is_quiescent) {
    if (!is_quiescent) return false;
    quiescent_since_ = internal::current_stop()->began();
    return true;
  }

  void apply(const internal::StoppedWorld& stopped) {
    // A hook may have resumed the program; then quiescence was found in another stop.
    if (quiescent_since_ != stopped.began()) quiescence_->require(stopped);
    converted_ = change_->commit(stopped, internal::Transaction::current());
    objects_ = change_->objects();
  }

  std::size_t converted() const noexcept {
    return conversion_.lazily ? objects_.progress().converted_objects : converted_;
  }
  LazyObjects lazy_objects() const noexcept { return objects_; }

 private:
  ConversionRequest conversion_;
  std::optional<internal::ObjectChange> change_;
  std::optional<internal::ObjectQuiescence> quiescence_;
  std::chrono::steady_clock::time_point quiescent_since_{};  ///< the stop, by its begin
  std::size_t converted_ = 0;
  LazyObjects objects_;
};

ConversionUpdate::ConversionUpdate(std::string name, ConversionRequest conversion, std::vector<ThreadId> threads)
    : Update(std::move(name), std::move(threads)), impl_(std::make_unique<Impl>(std::move(conversion))) {}

ConversionUpdate::~ConversionUpdate() = default;

void ConversionUpdate::prepare() {
  impl_->prepare();
  MOULT_FAULT("recipes.conversion.prepared");
}

bool ConversionUpdate::wait_alterability() { return impl_->wait(patience()); }
bool ConversionUpdate::check_alterability() { return impl_->check(patience()); }

void ConversionUpdate::apply() {
  const internal::StoppedWorld* stopped = internal::current_stop();
  if (stopped == nullptr)
    throw Error(ErrorCode::invalid_argument,
                name() + ": the program was resumed before apply converted anything; resume it in resume_hook");
  MOULT_FAULT("recipes.conversion.apply");
  impl_->apply(*stopped);
  MOULT_FAULT("recipes.conversion.applied");
}

std::size_t ConversionUpdate::converted() const noexcept { return impl_->converted(); }
LazyObjects ConversionUpdate::lazy_objects() const noexcept { return impl_->lazy_objects(); }

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
