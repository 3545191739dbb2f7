// A file descriptor that closes itself, if it is still the one that was opened.
//
// Why: some programs close all descriptors that they do not know, as daemons do. The numbers then stand for files that
// the program opens later. moult must not close, read or write these.
//
// How: the file is recognised by its device and inode. Sockets, pipes and userfaultfds have an inode each. Epolls and
// eventfds share one, so moult keeps none of them.
//
// Limits: a thread of the program that closes the number between a check and its use is not noticed.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace moult::internal {

class Fd final {
 public:
  Fd() noexcept = default;
  /// Owns `number`. A negative number means no descriptor.
  explicit Fd(int number) noexcept : number_(number) {
    struct stat status {};
    if (number < 0 || ::fstat(number, &status) != 0) return;
    is_known_ = true;
    device_ = status.st_dev;
    inode_ = status.st_ino;
  }
  Fd(Fd&& other) noexcept { swap(other); }
  Fd& operator=(Fd&& other) noexcept {
    Fd(std::move(other)).swap(*this);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }

  /// False when the program has closed the descriptor: the number stands for nothing, or for a file of the program's.
  /// To be checked before each use of a descriptor that lives on while the program runs.
  bool is_ours() const noexcept {
    if (number_ < 0 || !is_known_) return number_ >= 0;
    struct stat now {};
    if (::fstat(number_, &now) != 0) return errno != EBADF;
    return now.st_dev == device_ && now.st_ino == inode_;
  }

  void reset() noexcept {
    if (is_ours()) ::close(number_);
    number_ = -1;
  }

 private:
  void swap(Fd& other) noexcept {
    std::swap(number_, other.number_);
    std::swap(is_known_, other.is_known_);
    std::swap(device_, other.device_);
    std::swap(inode_, other.inode_);
  }

  int number_ = -1;
  bool is_known_ = false;  ///< false where a filter of system calls forbids fstat
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace moult::internal
