// Classes whose base is only declared in the debug information of the files that use them: its table is elsewhere.
#pragma once

namespace app {

class Animal {
 public:
  virtual ~Animal();
  virtual int legs() const;

 protected:
  int age_ = 1;
};

class Dog : public Animal {
 public:
  ~Dog() override;
  int legs() const override;
  int age() const { return age_; }
};

}  // namespace app
