// The state of a program that hides all it can.
#pragma once

#include <string>
#include <vector>

struct Visitors {
  std::vector<std::string> names;
  static Visitors& all() {
    static Visitors only;
    return only;
  }
};

inline int visits = 0;

template <class T>
struct Counted {
  static int value;
};
template <class T>
int Counted<T>::value = 0;

/// A program's and an update's have other bodies: a macro says which.
struct Greeting {
#ifndef GREETING
#define GREETING "hello"
#endif
  [[gnu::noinline]] std::string to(const std::string& name) const { return std::string(GREETING) + " " + name; }
};

std::string greet(const std::string& name);
