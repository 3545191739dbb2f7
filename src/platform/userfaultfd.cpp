// The kernel's userfaultfd in its simplest use: missing pages of private anonymous memory, whose faults moult's threads
// read.
//
// A userfaultfd that also serves system calls requires rights: CAP_SYS_PTRACE, the sysctl vm.unprivileged_userfaultfd,
// or access to /dev/userfaultfd. Without any of these the kernel grants one that serves the program's own accesses only
// (Linux 5.11).
#include "platform/userfaultfd.hpp"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include "base/check.hpp"
#include "base/fault.hpp"
#include "moult/error.hpp"
#include "platform/memory.hpp"

// NOLINTBEGIN(readability-identifier-naming): the kernel's names
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW _IO(0xAA, 0x00)
#endif
#ifndef UFFDIO_MOVE
#define UFFDIO_MOVE _IOWR(0xAA, 0x05, MoveOrder)
#define UFFD_FEATURE_MOVE (1 << 16)
#define UFFDIO_MOVE_MODE_DONTWAKE 1
#endif
// NOLINTEND(readability-identifier-naming)

namespace moult::internal {
namespace {

/// The kernel's uffdio_move. The headers of older systems do not have it.
struct MoveOrder {
  __u64 dst = 0;
  __u64 src = 0;
  __u64 len = 0;
  __u64 mode = 0;
  __s64 move = 0;  ///< bytes, or an error
};
static_assert(sizeof(MoveOrder) == 40);

Fd open_by_call(int flags) noexcept { return Fd(static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | flags))); }

Fd open_by_device() noexcept {
  Fd device(::open("/dev/userfaultfd", O_RDWR | O_CLOEXEC));
  if (!device) return Fd();
  return Fd(::ioctl(device.get(), USERFAULTFD_IOC_NEW, O_CLOEXEC));
}

__u64 as_number(const std::byte* address) noexcept { return reinterpret_cast<std::uintptr_t>(address); }

void sleep_a_moment() noexcept {
  timespec moment{0, 1'000'000};
  ::nanosleep(&moment, nullptr);
}

/// Otherwise a thread that waits for the page would wait for ever or find zeros.
[[noreturn]] void fail_to_fill(int error) noexcept {
  std::array<char, 200> message;
  const char* const why =
      error == EBADF ? "the program has closed the descriptor by which moult watches memory" : ::strerrordesc_np(error);
  std::snprintf(message.data(), message.size(), "a page that somebody waits for cannot be filled: %s", why);
  check_failed("userfaultfd", message.data(), __FILE__, __LINE__);
}

}  // namespace

Userfaultfd::Userfaultfd(Moves moves) {
  MOULT_FAULT("platform.userfaultfd.open");
  open();
  moves_ = moves == Moves::where_possible && agree_on(UFFD_FEATURE_THREAD_ID | UFFD_FEATURE_MOVE);
  if (!moves_ && !agree_on(UFFD_FEATURE_THREAD_ID))
    throw Error(ErrorCode::unsupported, std::string("this kernel's userfaultfd does not tell which thread waits: ") +
                                            std::strerror(errno) + "; convert eagerly");
}

void Userfaultfd::open() {
  fd_ = open_by_call(0);
  if (!fd_) fd_ = open_by_device();
  serves_kernel_ = static_cast<bool>(fd_);
  if (!fd_) fd_ = open_by_call(UFFD_USER_MODE_ONLY);
  if (!fd_)
    throw Error(ErrorCode::unsupported,
                std::string("lazy conversion needs userfaultfd, which this system does not give: ") +
                    std::strerror(errno) +
                    "; allow it (kernel 5.11 or newer, and no filter that forbids the call), or convert eagerly");
}

/// An ioctl of the descriptor; EBADF if the program has closed it. Its number may stand for a file of the program's.
int Userfaultfd::call(unsigned long request, void* order) noexcept {
  if (fd_.is_ours()) return ::ioctl(fd_.get(), request, order);
  errno = EBADF;
  return -1;
}

bool Userfaultfd::agree_on(std::uint64_t features) noexcept {
  uffdio_api wanted{};
  wanted.api = UFFD_API;
  wanted.features = features;
  return call(UFFDIO_API, &wanted) == 0;
}

void Userfaultfd::watch(std::byte* begin, std::size_t size) {
  MOULT_FAULT("platform.userfaultfd.watch");
  uffdio_register wanted{};
  wanted.range = {as_number(begin), size};
  wanted.mode = UFFDIO_REGISTER_MODE_MISSING;
  if (is_lost())
    throw Error(ErrorCode::system,
                "the program has closed the descriptor by which moult watches memory; try again, or convert eagerly");
  if (call(UFFDIO_REGISTER, &wanted) != 0)
    throw Error(ErrorCode::system, std::string("memory cannot be watched for its first use: ") + std::strerror(errno));
}

void Userfaultfd::unwatch(std::byte* begin, std::size_t size) noexcept {
  MOULT_CHECK(!is_lost(),
              "the program has closed the descriptor by which moult watches memory during a conversion; "
              "close only descriptors that the program has opened");
  uffdio_range range{as_number(begin), size};
  call(UFFDIO_UNREGISTER, &range);
}

std::optional<MissingPage> Userfaultfd::next() noexcept {
  if (is_lost()) return std::nullopt;
  uffd_msg message;
  ssize_t got = ::read(fd_.get(), &message, sizeof message);
  if (got != static_cast<ssize_t>(sizeof message) || message.event != UFFD_EVENT_PAGEFAULT) return std::nullopt;
  std::uintptr_t address = message.arg.pagefault.address & ~(std::uintptr_t{page_size()} - 1);
  return MissingPage{reinterpret_cast<std::byte*>(address), static_cast<pid_t>(message.arg.pagefault.feat.ptid)};
}

void Userfaultfd::fill(std::byte* begin, std::size_t size, const std::byte* from, Waiters waiters) noexcept {
  std::size_t most = size;
  for (std::size_t done = 0; done < size;) {
    uffdio_copy order{};
    order.dst = as_number(begin + done);
    order.src = as_number(from + done);
    order.len = std::min(most, size - done);
    order.mode = waiters == Waiters::left ? UFFDIO_COPY_MODE_DONTWAKE : 0;
    bool is_done = call(UFFDIO_COPY, &order) == 0;
    int error = errno;
    if (order.copy > 0) done += static_cast<std::size_t>(order.copy);
    if (is_done || done >= size || error == EAGAIN) continue;
    if (error == EEXIST) {
      if (waiters == Waiters::woken) wake(begin + done, page_size());
      done += page_size();
    } else if (error == ENOMEM) {
      sleep_a_moment();
    } else if (error == ENOENT && most > page_size()) {
      most = page_size();  // these are several mappings to the kernel, which copies into one at a time
    } else if (error == ESRCH) {
      return;  // the process ends
    } else {
      fail_to_fill(error);
    }
  }
}

/// Moves bytes from the beginning on, as far as the kernel gets, and returns their number.
std::size_t Userfaultfd::move_some(std::byte* begin, std::size_t size, std::byte* from, Waiters waiters) noexcept {
  MoveOrder order;
  order.dst = as_number(begin);
  order.src = as_number(from);
  order.len = size;
  order.mode = waiters == Waiters::left ? UFFDIO_MOVE_MODE_DONTWAKE : 0;
  call(UFFDIO_MOVE, &order);
  return order.move > 0 ? static_cast<std::size_t>(order.move) : 0;
}

/// Copies a page that cannot be moved: because a child shares it, a device writes to it, or it is missing.
void Userfaultfd::move(std::byte* begin, std::size_t size, std::byte* from, Waiters waiters) noexcept {
  std::size_t done = 0;
  while (moves_ && done < size) {
    const std::size_t moved = move_some(begin + done, size - done, from + done, waiters);
    if (moved == 0) fill(begin + done, page_size(), from + done, waiters);
    done += moved > 0 ? moved : page_size();
  }
  if (done < size) fill(begin + done, size - done, from + done, waiters);
}

void Userfaultfd::fill_with_zeros(std::byte* begin, std::size_t size) noexcept {
  for (std::size_t done = 0; done < size;) {
    uffdio_zeropage order{};
    order.range = {as_number(begin + done), size - done};
    bool is_done = call(UFFDIO_ZEROPAGE, &order) == 0;
    int error = errno;
    if (order.zeropage > 0) done += static_cast<std::size_t>(order.zeropage);
    if (is_done || done >= size) continue;
    if (error == EEXIST) {
      wake(begin + done, page_size());
      done += page_size();
    } else if (error == ENOMEM) {
      sleep_a_moment();
    } else if (error == ENOENT || error == ESRCH) {
      return wake(begin, size);  // not registered any more, or the process ends
    } else if (error != EAGAIN) {
      fail_to_fill(error);
    }
  }
}

void Userfaultfd::wake(std::byte* begin, std::size_t size) noexcept {
  uffdio_range range{as_number(begin), size};
  call(UFFDIO_WAKE, &range);
}

}  // namespace moult::internal
