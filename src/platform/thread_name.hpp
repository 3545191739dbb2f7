// What a thread is called in ps, gdb and `moult threads`.
#pragma once

#include <sys/types.h>

#include <string_view>

namespace moult::internal {

/// Names the calling thread; at most 15 characters.
void name_this_thread(const char* name) noexcept;
/// Names a thread of this process by its first 15 characters; nothing when it is gone.
void name_task(pid_t task, std::string_view name) noexcept;

}  // namespace moult::internal
