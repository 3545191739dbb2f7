#include "platform/process_memory.hpp"

#include <sys/syscall.h>
#include <sys/uio.h>

#include "platform/tasks.hpp"
#include "platform/x86_64/syscall.hpp"

namespace moult::internal {
namespace {

bool transfer(long call, std::uintptr_t address, const std::byte* own, std::size_t size) noexcept {
  if (size == 0) return true;
  iovec here{const_cast<std::byte*>(own), size};
  iovec there{reinterpret_cast<void*>(address), size};
  long process = raw_syscall(SYS_getpid);
  return raw_syscall(call, process, as_argument(&here), 1, as_argument(&there), 1, 0) == static_cast<long>(size);
}

}  // namespace

bool read_memory(std::uintptr_t address, std::span<std::byte> to) noexcept {
  return transfer(SYS_process_vm_readv, address, to.data(), to.size());
}

bool write_memory(std::uintptr_t address, std::span<const std::byte> from) noexcept {
  return transfer(SYS_process_vm_writev, address, from.data(), from.size());
}

}  // namespace moult::internal
