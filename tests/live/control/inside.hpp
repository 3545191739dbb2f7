// A class whose methods an update replaces by ones that are written inside of its own class.
#pragma once

class Greeter {
 public:
  explicit Greeter(int number);
  int greet(int times) const;
  static int count();

 private:
  int number_;
};
