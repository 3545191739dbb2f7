// Why: an update stays loaded for good, but most of its code can never run again. A later change of a class has to know
// which code can (classes/loaded_updates.cpp). Only the mechanism that takes a callable knows that it did, and for how
// long.
//
// How: a list of addresses. The mechanism keeps a CodeRecord beside the callable, and the two go together. An address
// stands for its module; nothing is looked up before the list is asked for.
//
// Limits: a record that is made after a class change was prepared comes too late for that change. A fork in another
// thread leaves that thread's records in the child, where its code counts as callable for good.
#include "base/code_record.hpp"

#include <list>
#include <utility>

#include "base/guarded.hpp"
#include "base/transaction.hpp"

namespace moult::internal {
namespace {

struct Noted {
  CodeUse use;
  std::vector<const void*> addresses;
  bool is_kept = false;
};
using NotedCode = std::list<Noted>;

/// Records may go when the program ends: it is never destroyed.
Guarded<NotedCode>& noted_code() {
  static auto* const made = new Guarded<NotedCode>;
  return *made;
}

}  // namespace

class CodeRecord::Entry final {
 public:
  explicit Entry(Noted noted) {
    NotedCode one;
    one.push_back(std::move(noted));
    place_ = one.begin();
    noted_code().with([&](NotedCode& all) { all.splice(all.end(), one); });
  }
  ~Entry() {
    NotedCode one;  // is destroyed without the lock
    noted_code().with([&](NotedCode& all) {
      if (!place_->is_kept) one.splice(one.end(), all, place_);
    });
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  void set_use(CodeUse use) noexcept {
    noted_code().with([&](NotedCode&) { place_->use = use; });
  }
  void keep() noexcept {
    noted_code().with([&](NotedCode&) { place_->is_kept = true; });
  }

 private:
  NotedCode::iterator place_;
};

CodeRecord::CodeRecord(CodeUse use, std::vector<const void*> addresses)
    : entry_(std::make_shared<Entry>(Noted{use, std::move(addresses)})) {}

void CodeRecord::set_use(CodeUse use) noexcept {
  if (entry_ != nullptr) entry_->set_use(use);
}

void CodeRecord::keep() noexcept {
  if (entry_ != nullptr) entry_->keep();
}

void keep_after_stop(CodeRecord record) {
  Transaction* const transaction = Transaction::current();
  if (transaction == nullptr || transaction->suspension() == nullptr) return record.keep();
  transaction->before_resume([record = std::move(record)]() mutable { record.keep(); });
}

std::vector<const void*> recorded_code(CodeUse use) {
  std::vector<const void*> found;
  noted_code().with([&](const NotedCode& all) {
    for (const Noted& each : all)
      if (each.use == use) found.insert(found.end(), each.addresses.begin(), each.addresses.end());
  });
  return found;
}

}  // namespace moult::internal
