#include "platform/thread_name.hpp"

#include <pthread.h>

namespace moult::platform {

void name_this_thread(const char* name) noexcept { pthread_setname_np(pthread_self(), name); }

}  // namespace moult::platform
