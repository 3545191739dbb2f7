// libelf and libdw without memory.
//
// Problem: they do not survive a failed allocation. libdw calls exit, or goes on with a null pointer, or aborts in an
// assertion. Or it returns as if the file had ended there, so that a copy of a function in its callers is not seen.
//
// Approach: their calls of malloc and its relatives go through moult, which throws std::bad_alloc. They are C, and
// every function on x86-64 has an unwind table, so the exception passes through them. Their linkage tables are changed
// once, when moult reads its first file. In threads without StrictMemory, such as those of a program that uses libdw
// for itself, a failed allocation is what it was.
//
// Limits: what was being read is unusable from then on. A handle cannot even be closed: a table of libdw's may be half
// enlarged, and a libelf that is built for threads may hold its locks. Handles are left as they are: for each lack of
// memory the mappings of the files that were open, and some megabytes of debug information. A program that is linked
// with the archives of these libraries keeps their behaviour.
#pragma once

#include <cstdint>

namespace moult::internal {

/// Throws std::bad_alloc.
void make_readers_throw();

/// For the handler that libdw calls instead of returning. Of its type, so with an attribute that clang takes for a part
/// of the type.
__attribute__((noreturn)) void throw_reader_out_of_memory();

/// Counts the allocations that failed so. A handle that was open at one of them must not be closed.
std::uint64_t failed_reader_allocations() noexcept;

}  // namespace moult::internal
