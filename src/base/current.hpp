// The object that the calling thread acts for at the moment, found without passing it through every call.
#pragma once

#include <utility>

namespace moult::internal {

/// Each thread has a current T of its own, null to begin with. A Scope sets it for its lifetime; scopes nest.
template <class T>
class Current final {
 public:
  static T* get() noexcept { return of_this_thread; }

  class Scope final {
   public:
    explicit Scope(T& object) noexcept : outer_(std::exchange(of_this_thread, &object)) {}
    ~Scope() { of_this_thread = outer_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    T* outer_;
  };

 private:
  static inline thread_local constinit T* of_this_thread = nullptr;
};

}  // namespace moult::internal
