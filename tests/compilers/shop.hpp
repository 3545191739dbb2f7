// The functions of the program of the compilers' tests. An update replaces price, tax and Shelf::capacity.
#pragma once

class Shelf {
 public:
  virtual ~Shelf() = default;
  virtual int capacity() const;  ///< 10; its second version 20
  int room() const;              ///< the same, called in its own file
};

int price(int pieces);            ///< 3 for each; its second version 5
int total(int pieces);            ///< the same, called in its own file
int tax(int pieces);              ///< 1 for each; its second version 2
int bill(int pieces, int goods);  ///< 1 for each piece, 7 for each of the goods, and the tax
int twin(int pieces);             ///< has the same code as tax, and no second version
