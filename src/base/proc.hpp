// Where /proc shows the memory and the executable of a process. The main thread may end before its process
// (pthread_exit). From then on /proc/self and /proc/PID lead to the ended thread, which has neither. The folder of a
// thread that runs has both.
#pragma once

#include <string>

namespace moult::internal::proc {

/// This process, by the calling thread.
inline constexpr const char* own_folder = "/proc/thread-self";
inline constexpr const char* own_maps = "/proc/thread-self/maps";
inline constexpr const char* own_pagemap = "/proc/thread-self/pagemap";
inline constexpr const char* own_status = "/proc/thread-self/status";
inline constexpr const char* own_executable = "/proc/thread-self/exe";

/// "/proc/4711", or the folder of a thread with memory if the main thread has ended: "/proc/4711/task/4713". The former
/// also if there is no such process, or no permission to look.
std::string folder_of(int pid);

}  // namespace moult::internal::proc
