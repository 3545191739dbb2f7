#include "base/guarded.hpp"

namespace moult::internal {
namespace {

[[gnu::tls_model("initial-exec")]] thread_local constinit LockUse use_of_this_thread;

}  // namespace

LockUse& lock_use() noexcept { return use_of_this_thread; }

}  // namespace moult::internal
