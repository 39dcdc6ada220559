package main

import (
	"encoding/xml"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// outputJUnit prints JUnit's XML, which CI systems read.
const outputJUnit = "junit"

// The parts of JUnit's XML that CI systems read.
type (
	testSuite struct {
		XMLName  xml.Name   `xml:"testsuite"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Time     string     `xml:"timestamp,attr"`
		Cases    []testCase `xml:"testcase"`
		// class is that of each case.
		class string
	}
	testCase struct {
		Name    string       `xml:"name,attr"`
		Class   string       `xml:"classname,attr"`
		Seconds float64      `xml:"time,attr"`
		Failure *testFailure `xml:"failure,omitempty"`
	}
	testFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// suited has a test suite to print.
type suited interface{ suite() testSuite }

// junitFlag adds --junit, for a file beside the text on stdout.
func junitFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "junit", "", "also write the result as JUnit XML to this file (-o junit prints it)")
}

// newSuite returns an empty suite of a command on a fleet.
func newSuite(command, fleetName string, at time.Time) testSuite {
	return testSuite{Name: program + " " + command + " " + fleetName, Time: at.UTC().Format("2006-01-02T15:04:05"), class: program + "." + fleetName}
}

func (s *testSuite) add(c testCase) {
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	}
	s.Cases = append(s.Cases, c)
}

// printJUnit writes a suite as XML.
func printJUnit(w io.Writer, s testSuite) error {
	data, err := xml.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append([]byte(xml.Header), append(data, '\n')...))
	return err
}

// writeJUnit writes a suite to a file. Without a name there is none.
func writeJUnit(path string, s testSuite) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return printJUnit(f, s)
}
