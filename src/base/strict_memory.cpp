#include "base/strict_memory.hpp"

namespace moult::internal {
namespace {

[[gnu::tls_model("initial-exec")]] thread_local constinit int depth_of_this_thread = 0;

}  // namespace

int& StrictMemory::depth() noexcept { return depth_of_this_thread; }

}  // namespace moult::internal
