/** The IR of tkc: modules, functions, values and their text form. */
package dev.tkc.ir;
