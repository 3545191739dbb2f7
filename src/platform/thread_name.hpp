// What a thread is called in ps, gdb and `moult threads`.
#pragma once

namespace moult::platform {

/// Names the calling thread; at most 15 characters.
void name_this_thread(const char* name) noexcept;

}  // namespace moult::platform
