// Problem: the processor, more than memory, limits the conversion of ten million objects in a stop, and all but one of
// the processors are idle then.
//
// Approach: the helpers are made before the stop, as service threads, and sleep until the stopping thread has work. A
// helper may access a page that is pending for another conversion: the fault is resolved as if the stopping thread had
// caused it, because the helper does service work for that thread.
//
// Limits: a helper has neither the stopping thread's transaction nor its thread-local variables.
#include "convert/conversion_workers.hpp"

#include <exception>
#include <new>

#include "base/fault.hpp"
#include "base/own_thread.hpp"
#include "platform/tasks.hpp"
#include "threads/service_threads.hpp"

namespace moult::internal {

ConversionWorkers::ConversionWorkers(std::size_t count) {
  MOULT_FAULT("convert.workers.make");
  helpers_.reserve(count);
  try {
    for (std::size_t number = 1; number < count; ++number)
      helpers_.push_back(start_own_thread([this, number] { help(number); }));
  } catch (const std::exception&) {  // fewer helpers will do
  }
  // A stop fails when it meets a thread that is not a service thread yet.
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return awake_ == helpers_.size(); });
}

ConversionWorkers::~ConversionWorkers() {
  {
    const std::scoped_lock lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
}

void ConversionWorkers::help(std::size_t number) noexcept {
  name_this_thread("moult helper");
  try {
    work_along(number);
  } catch (const std::bad_alloc&) {  // no service thread: the others do its part
    const std::scoped_lock lock(mutex_);
    ++awake_;
    changed_.notify_all();
  }
}

void ConversionWorkers::work_along(std::size_t number) {
  const ServiceThread here;
  std::unique_lock lock(mutex_);
  ++awake_;
  ++able_;
  changed_.notify_all();
  for (std::uint64_t seen = 0;;) {
    changed_.wait(lock, [&] { return is_over_ || round_ != seen; });
    if (is_over_) return;
    seen = round_;
    const std::function<void(std::size_t)>& work = *work_;
    lock.unlock();
    {
      const ServiceWork for_stopper(stopper_);
      work(number);
    }
    lock.lock();
    if (--busy_ == 0) changed_.notify_all();
  }
}

void ConversionWorkers::run(const std::function<void(std::size_t)>& work) noexcept {
  {
    const std::scoped_lock lock(mutex_);
    work_ = &work;
    stopper_ = own_task();
    busy_ = able_;
    ++round_;
  }
  changed_.notify_all();
  work(0);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return busy_ == 0; });
}

}  // namespace moult::internal
