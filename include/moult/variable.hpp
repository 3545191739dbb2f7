// The program's variables by their names: those too that no library can link with; and new values for them.
//
//   class Limit final : public moult::Update {
//     int* limit_ = nullptr;
//    public:
//     Limit() : Update("limit") {}
//     void prepare() override { limit_ = &moult::variable<int>("app::limit"); }
//     bool check_alterability() override { return true; }
//     void apply() override { moult::set_variable(*limit_, 100); }
//   };
#pragma once

#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "moult/detail/abi.hpp"
#include "moult/detail/type_of.hpp"

#pragma GCC visibility push(default)
namespace moult {

namespace detail::inline MOULT_ABI_NAMESPACE {

void* find_variable(std::string_view name, const std::type_info& type, std::size_t size);

/// The value in a report's line; empty for a type that has no text.
template <class T>
std::string value_text(const T& value) {
  if constexpr (std::same_as<T, bool>)
    return value ? "true" : "false";
  else if constexpr (std::is_arithmetic_v<T>)
    return std::to_string(value);
  else if constexpr (std::is_enum_v<T>)
    return std::to_string(static_cast<std::underlying_type_t<T>>(value));
  else if constexpr (std::same_as<T, std::string>)
    return '"' + value + '"';
  else
    return {};
}

/// A variable and another value for it.
class ValueExchange {
 public:
  virtual ~ValueExchange() = default;
  ValueExchange() = default;
  ValueExchange(const ValueExchange&) = delete;
  ValueExchange& operator=(const ValueExchange&) = delete;

  /// Gives the variable the other value and keeps the one it had. A second call undoes the first.
  virtual void exchange() noexcept = 0;
  /// Whether the variable still has the value that the first call gave it.
  virtual bool is_as_set() const = 0;
  /// value_text of the variable. Only in a stopped program: a thread that assigns to it may free what is being read.
  virtual std::string text() const = 0;
};

/// By its bytes, those of padding included.
template <class T>
class BytesExchange final : public ValueExchange {
 public:
  BytesExchange(T& variable, const T& value) : variable_(&variable) {
    std::memcpy(set_.data(), &value, sizeof(T));
    other_ = set_;
  }
  void exchange() noexcept override {
    std::array<std::byte, sizeof(T)> before;
    std::memcpy(before.data(), variable_, sizeof(T));
    std::memcpy(static_cast<void*>(variable_), other_.data(), sizeof(T));
    other_ = before;
  }
  bool is_as_set() const override { return std::memcmp(variable_, set_.data(), sizeof(T)) == 0; }
  std::string text() const override { return value_text(*variable_); }

 private:
  T* variable_;
  std::array<std::byte, sizeof(T)> set_;
  std::array<std::byte, sizeof(T)> other_;
};

/// By swapping objects: the old one stays as it is.
template <class T>
class ObjectExchange final : public ValueExchange {
  static_assert(std::is_copy_constructible_v<T> && std::equality_comparable<T> && std::is_nothrow_swappable_v<T>,
                "a variable is set if its type is trivially copyable, or can be copied, compared, and swapped without "
                "an exception");

 public:
  ObjectExchange(T& variable, T value) : variable_(&variable), set_(value), other_(std::move(value)) {}
  void exchange() noexcept override {
    using std::swap;
    swap(*variable_, other_);
  }
  bool is_as_set() const override { return *variable_ == set_; }
  std::string text() const override { return value_text(*variable_); }

 private:
  T* variable_;
  T set_;
  T other_;
};

/// In a stopped program, where nothing comes in between.
template <class T>
class AtomicExchange final : public ValueExchange {
  static_assert(std::atomic<T>::is_always_lock_free, "a stopped thread may hold the lock of this atomic");

 public:
  AtomicExchange(std::atomic<T>& variable, T value) : variable_(&variable), set_(value), other_(value) {}
  void exchange() noexcept override { other_ = variable_->exchange(other_); }
  bool is_as_set() const override {
    const T now = variable_->load();
    return std::memcmp(&now, &set_, sizeof(T)) == 0;
  }
  std::string text() const override { return value_text(variable_->load()); }

 private:
  std::atomic<T>* variable_;
  T set_;
  T other_;
};

void set_variable(void* address, const std::type_info& type, std::size_t size, std::shared_ptr<ValueExchange> exchange,
                  const std::string& after);

}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// The program's variable of that name: global, hidden, static in a file, in a class or in a function.
///
///     int& served = moult::variable<int>("served");                 // or "server.cpp:served", "app::served"
///     int& next = moult::variable<int>("app::ticket()::next");      // static in the function app::ticket
///
/// "()" stands for any parameters, and "(anonymous namespace)::" may be omitted. If several source files have a
/// variable of that name, prefix the file. A new version of a function that has static variables goes on with the old
/// one's values in this way; its own static variables would begin anew.
///
/// Reads debug information, so call it in prepare or while the update is loaded, and keep the reference. From any
/// thread; reads and writes through the reference are the program's, and belong to no update. `set_variable` makes a
/// change that does.
///
/// not_found: no variable of that name has a place
/// ambiguous: several variables of that name; the message lists them
/// signature_mismatch: it has another type or size
/// unsupported: each thread has its own (thread_local)
template <class T>
T& variable(std::string_view name) {
  static_assert(std::is_object_v<T>, "name the variable's own type: moult::variable<int>(\"counter\")");
  return *static_cast<T*>(detail::find_variable(name, detail::type_of<T>(), sizeof(T)));
}

/// Gives a variable of the program another value. `variable` is what moult::variable has found, or a part of it, such
/// as a field. So its type and size are known to be the program's. Stops the program unless it is stopped.
///
/// Called from a step of an update, the change belongs to that update: it is listed in its report, and undone with it.
/// When the program, or a later update, has given the variable another value since, the old one cannot be put back
/// without losing that. A rollback of the whole update is then refused (unsupported), and changes nothing.
///
/// A value is copied byte by byte, or swapped if its class is not trivially copyable. It must not lead to memory that
/// ends before the program does. The program's code may have read the old value before the stop and go on with it.
///
/// invalid_argument: moult::variable has not found this variable
/// signature_mismatch: it was found with another type
/// unsupported: it lies in memory that cannot be written, such as a constant
/// thread_unstoppable: a thread did not reach a safepoint in time
template <class T>
void set_variable(T& variable, std::type_identity_t<T> value) {
  static_assert(!std::is_const_v<T>, "a constant has no other value");
  static_assert(!std::is_volatile_v<T>, "name the variable's own type: moult::variable<int>(\"counter\")");
  const std::string after = detail::value_text(value);
  std::shared_ptr<detail::ValueExchange> exchange;
  if constexpr (std::is_trivially_copyable_v<T>)
    exchange = std::make_shared<detail::BytesExchange<T>>(variable, value);
  else
    exchange = std::make_shared<detail::ObjectExchange<T>>(variable, std::move(value));
  detail::set_variable(&variable, detail::type_of<T>(), sizeof(T), std::move(exchange), after);
}

/// The same for an atomic variable.
template <class T>
void set_variable(std::atomic<T>& variable, std::type_identity_t<T> value) {
  detail::set_variable(&variable, detail::type_of<std::atomic<T>>(), sizeof(variable),
                       std::make_shared<detail::AtomicExchange<T>>(variable, value), detail::value_text(value));
}

}  // namespace moult
#pragma GCC visibility pop
